import ArgumentParser
import Foundation
import Fovea

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show by what parts of a picture a model decides, or what its layers see.",
        usage: """
            fovea explain <file> <picture> --output <file> [--class <class>] [--method <name>]
            fovea explain <file> <picture> --output <file> --layers <paths>
            fovea explain <file> --output <file> (--filters | --patterns | --embedding <data>)
            """,
        discussion: """
            With a picture alone it draws this and beside it which parts of it decided for the most probable class, or the one \
            that --class names, in colours: what counts most is red. Methods of maps with a sign show in blue what spoke against it.

            With --layers it draws the feature maps of these layers, a small image for each channel; 'fovea summary' lists a \
            model's layers. Those of a model inside another are named as base/conv2d.

            Without a picture it shows the model itself: kernels with --filters; with --patterns images that filters or classes answer to \
            most, made by gradient ascent; with --embedding where pictures of each class lie among others, as the last layer \
            sees them.

            Methods: \(AttributionMethod.all.map(\.name).joined(separator: ", ")).
            """)

    @Argument(
        help: "A model file, or a network with published weights; see 'fovea pretrained list'.",
        transform: filePath)
    var file: String

    @Argument(help: "A picture.", transform: filePath)
    var picture: String?

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp(
            "The class: its name or number (default: the most probable; of patterns all).", valueName: "class"
        ))
    var className: String?

    @Option(
        help: ArgumentHelp(
            "The layer whose features, filters or patterns are looked at (default: the last convolution; of filters the first; of "
                + "patterns the classes).", valueName: "path"))
    var layer: String?

    @Option(
        help: ArgumentHelp(
            "How it is told what decided (default: \(AttributionMethod.gradCAM.name)).", valueName: "name"))
    var method: String?

    @Option(
        help: ArgumentHelp(
            "Draw the feature maps of these layers, such as conv2d,base/conv2d.", valueName: "paths"))
    var layers: String?

    @Flag(help: "Draw the kernels of a convolution.")
    var filters = false

    @Flag(help: "Draw images that the filters of --layer, or classes, answer to most.")
    var patterns = false

    @Option(
        help: ArgumentHelp(
            "Draw how the test images of a data set, or the pictures of a folder, lie among each other.",
            valueName: "name or folder"))
    var embedding: String?

    @OptionGroup(title: "Patterns and embeddings") var details: ExplainDetails
    @OptionGroup var figure: FigureOptions

    /// What is asked.
    enum Question: Equatable {
        case decision, featureMaps, filters, patterns, embedding

        /// The option that asks it.
        var option: String {
            switch self {
            case .decision: "a picture"
            case .featureMaps: "--layers"
            case .filters: "--filters"
            case .patterns: "--patterns"
            case .embedding: "--embedding"
            }
        }

        var needsPicture: Bool { self == .decision || self == .featureMaps }
    }

    var question: Question {
        get throws {
            let asked: [Question] = [
                layers == nil ? nil : .featureMaps, filters ? .filters : nil, patterns ? .patterns : nil,
                embedding == nil ? nil : .embedding,
            ].compactMap(\.self)
            guard asked.count < 2 else {
                throw ValidationError(
                    "\(asked.map(\.option).joined(separator: " and ")) ask for different figures; give one of them"
                )
            }
            return asked.first ?? .decision
        }
    }

    var chosenMethod: AttributionMethod {
        get throws {
            let name = method ?? AttributionMethod.gradCAM.name
            guard let method = AttributionMethod.all.first(where: { $0.name == name }) else {
                throw ValidationError(unknown("method", name, among: AttributionMethod.all.map(\.name)))
            }
            return method
        }
    }

    func validate() throws {
        guard figure.areGiven else { throw ValidationError("say where it goes: --output FILE, or --show") }
        let question = try question
        let method = try chosenMethod
        if question.needsPicture, picture == nil {
            throw ValidationError(
                "name a picture, such as 'fovea explain \(file) photo.jpg'; without one give --filters, --patterns or --embedding"
            )
        }
        if !question.needsPicture, picture != nil {
            throw ValidationError("\(question.option) shows the model itself, so there is no picture to name")
        }
        if question != .decision, self.method != nil {
            throw ValidationError(
                "--method tells what decided about a picture; leave it out with \(question.option)")
        }
        if question == .decision, layer != nil, !method.usesLayer {
            throw ValidationError("--layer: \(method.name) looks at the picture itself, not at a layer")
        }
        if question == .featureMaps, className != nil || layer != nil {
            throw ValidationError(
                "--layers draws what layers see, whatever the class; leave out --class and --layer")
        }
        if question == .filters || question == .embedding, className != nil {
            throw ValidationError("\(question.option) draws all classes; leave out --class")
        }
        if question == .patterns, className != nil, layer != nil {
            throw ValidationError(
                "--patterns draws what --layer's filters or what --class looks like; give one of them")
        }
        if let embedding { _ = try DataSource(embedding) }
        try details.check(for: question)
    }

    func run() async throws {
        try figure.check()
        let saved = try await usableModel(file)
        do {
            let drawn =
                switch try question {
                case .decision: try await decision(saved)
                case .featureMaps: try await featureMaps(saved)
                case .filters: try await kernels(saved)
                case .patterns: try await patterns(saved)
                case .embedding: try await embedding(saved)
                }
            try figure.deliver(drawn)
        } catch let error as InsightError { throw CommandError("\(file): \(error)") }
    }

    /// The number of the class that was named.
    func classNumber(_ text: String, _ names: [String]) throws -> Int {
        if let place = names.firstIndex(of: text) { return place }
        if let number = Int(text) { return number }
        throw CommandError(
            "\(file): unknown class '\(text)'; "
                + adviceOnName(text, among: names, heading: "its classes are", limit: 20))
    }

    func className(_ number: Int, _ names: [String]) -> String {
        names.indices.contains(number) ? names[number] : "class \(number)"
    }
}

/// How patterns and embeddings are made.
struct ExplainDetails: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The first of the patterns that are drawn, from 0 on; at most 64 are.", valueName: "number"))
    var first: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Steps of gradient ascent for patterns (default: 128).", valueName: "count"))
    var steps: Int?

    @Option(
        help: ArgumentHelp(
            "How an embedding comes to have two dimensions: tsne, or pca (default: tsne).", valueName: "name")
    )
    var projection: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many images an embedding has (default: 1000).", valueName: "count"))
    var images: Int?

    enum Projection: String, CaseIterable { case tsne, pca }

    var chosenProjection: Projection {
        get throws { try projection.map { try named($0, "projection") } ?? .tsne }
    }

    func check(for question: ExplainCommand.Question) throws {
        if let first, first < 0 { throw ValidationError("--first counts from 0, so it cannot be \(first)") }
        try checkPositive("--steps", steps)
        if let images, !(4...TSNE.greatestCount).contains(images) {
            throw ValidationError("--images must be from 4 to \(TSNE.greatestCount), not \(images)")
        }
        _ = try chosenProjection
        let given =
            [
                ("--first", first != nil, .patterns), ("--steps", steps != nil, .patterns),
                ("--projection", projection != nil, .embedding), ("--images", images != nil, .embedding),
            ] as [(String, Bool, ExplainCommand.Question)]
        if let (option, _, own) = given.first(where: { $0.1 && $0.2 != question }) {
            throw ValidationError("\(option) is for \(own.option)")
        }
    }
}
