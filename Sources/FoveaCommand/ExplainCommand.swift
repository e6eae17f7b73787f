import ArgumentParser
import Foundation
import Fovea

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show by what parts of a picture a model decides, or what its layers see.",
        usage: "fovea explain <file> <picture> --output <file> [<options>]",
        discussion: """
            Without --layers it draws the picture and beside it which parts of it decided for the most probable class, or the one \
            that --class names, in colours: what counts most is red. Methods of maps with a sign show in blue what spoke against it.

            With --layers it draws the feature maps of these layers, a small image for each channel; 'fovea summary' lists a \
            model's layers. Those of a model inside another are named as base/conv2d.

            Methods: \(AttributionMethod.all.map(\.name).joined(separator: ", ")).
            """)

    @Argument(
        help: "A model file, or a network with published weights; see 'fovea pretrained list'.",
        transform: filePath)
    var file: String

    @Argument(help: "A picture.", transform: filePath)
    var picture: String

    @Option(help: ArgumentHelp("How it is told what decided.", valueName: "name"))
    var method = AttributionMethod.gradCAM.name

    @Option(
        name: .customLong("class"),
        help: ArgumentHelp("The class: its name or number (default: the most probable).", valueName: "class"))
    var className: String?

    @Option(
        help: ArgumentHelp(
            "The layer whose features are looked at (default: the last convolution).", valueName: "path"))
    var layer: String?

    @Option(
        help: ArgumentHelp(
            "Draw the feature maps of these layers, such as conv2d,base/conv2d.", valueName: "paths"))
    var layers: String?

    @OptionGroup var figure: FigureOptions

    private var chosenMethod: AttributionMethod {
        get throws {
            guard let method = AttributionMethod.all.first(where: { $0.name == method }) else {
                throw ValidationError(unknown("method", method, among: AttributionMethod.all.map(\.name)))
            }
            return method
        }
    }

    func validate() throws {
        guard figure.areGiven else { throw ValidationError("say where it goes: --output FILE, or --show") }
        let method = try chosenMethod
        if layer != nil, !method.usesLayer {
            throw ValidationError("--layer: \(method.name) looks at the picture itself, not at a layer")
        }
        if layers != nil, className != nil || layer != nil || method != .gradCAM {
            throw ValidationError(
                "--layers draws what layers see, whatever the class; leave out --class, --layer and --method")
        }
    }

    func run() async throws {
        try figure.check()
        let saved = try await usableModel(file)
        let form: PictureForm
        do { form = try Predictor(saved).pictureForm } catch { throw CommandError("\(file): \(error)") }
        let picture = try form.picture(at: self.picture)
        do {
            let drawn =
                if let layers {
                    try await maps(of: layers, saved.model, form.value(picture))
                } else {
                    try await decision(saved, picture)
                }
            try figure.deliver(drawn)
        } catch let error as InsightError { throw CommandError("\(file): \(error)") }
    }

    /// The picture, and the same with what decided.
    private func decision(_ saved: SavedModel, _ picture: Picture) async throws -> Figure {
        let number = try className.map { try classNumber($0, saved.classNames) }
        let attribution = try await Explainer(saved.model).explain(
            picture, method: chosenMethod, class: number, layer: layer)
        let place = attribution.classIndex
        let name = saved.classNames.indices.contains(place) ? saved.classNames[place] : "class \(place)"
        let answer = "\(visible(name)) \(String(format: "%.1f", attribution.probability * 100)) %"
        say(answer)
        var drawn = try Figure.images(
            [picture, attribution.overlay(on: picture)],
            titles: [answer, attribution.method.name + (attribution.layer.map { " of \($0)" } ?? "")],
            columns: 2, theme: figure.chosenTheme)
        drawn.size = (9, 5)
        return drawn
    }

    private func classNumber(_ text: String, _ names: [String]) throws -> Int {
        if let place = names.firstIndex(of: text) { return place }
        if let number = Int(text) { return number }
        throw CommandError(
            "\(file): unknown class '\(text)'; "
                + adviceOnName(text, among: names, heading: "its classes are", limit: 20))
    }

    /// The feature maps of layers, one grid below the other.
    private func maps(
        of list: String, _ model: any ModelProtocol, _ picture: TensorValue
    ) async throws -> Figure {
        let paths = list.split(separator: ",").map { String($0.trimmingPrefix(while: \.isWhitespace)) }
        guard !paths.isEmpty else { throw ValidationError("--layers: name at least one layer") }
        let batch = try picture.reshaped(to: Shape([1] + picture.shape.dimensions))
        let maps = try await model.featureMaps(of: paths, for: [batch])
        let theme = try figure.chosenTheme
        var panels: [Panel] = []
        var (width, height) = (0.0, 0.0)
        for path in paths {
            guard let value = maps[path] else { continue }
            for grid in try Figure.featureMaps(value, title: path, theme: theme) {
                panels += grid.panels.map { panel in
                    var panel = panel
                    panel.title = grid.title
                    return panel
                }
                let size = grid.size ?? (10, 10)
                (width, height) = (max(width, size.width), max(height, size.height))
            }
        }
        // Rows are equally high.
        let shrink = min(1, 80 / max(1, height * Double(panels.count)))
        return Figure(
            panels, size: (width * shrink, height * Double(panels.count) * shrink), theme: theme)
    }
}
