import ArgumentParser
import Foundation
import Fovea

/// What the command is given to train on or to measure with: a data set known by name, or a folder of pictures or shards of it.
enum DataSource {
    case named(DatasetName)
    case folder(String)

    /// - Throws: `ValidationError` when the text is neither a data set's name nor a folder nor shards.
    init(_ text: String) throws {
        var isFolder = ObjCBool(false)
        if let name = DatasetName(rawValue: text) {
            self = .named(name)
        } else if FileManager.default.fileExists(atPath: text, isDirectory: &isFolder), isFolder.boolValue {
            self = .folder(text)
        } else if ImageFolder.areShards(text) {
            self = .folder(text)
        } else {
            let names = DatasetName.allCases.map(\.rawValue)
            throw ValidationError(
                unknown("data set", text, among: names) + "; nor is there a folder of this name")
        }
    }
}

/// Examples for training, and those to validate and test with, where there are any.
struct TrainingData {
    /// Examples in memory as they are, or computed while the network trains.
    enum Part {
        case memory(Examples)
        case computed(Dataset<Example>)

        var count: Int {
            switch self {
            case .memory(let examples): examples.count
            case .computed(let examples): examples.count ?? 0
            }
        }
    }

    var classNames: [String]
    var train: Part
    var validation: Part?
    var test: Part?
    /// The class of each training example.
    private(set) var trainingLabels: @Sendable () -> [Int] = { [] }
    /// The folders of the classes to train on.
    private var classFolders: Set<String> = []

    /// What pictures are made to be before the network sees them.
    struct Form {
        var size: Size2D
        var channels: Int
        var classMode: ClassMode
    }

    /// Where the examples to validate with come from.
    enum Validation {
        case folder(String)
        case part(Double)
    }

    /// Named data sets are in memory. Their validation examples are the last.
    init(_ data: NamedDataset, validation: Validation?) throws {
        classNames = data.classNames
        test = .memory(data.test)
        switch validation {
        case nil: train = .memory(data.train)
        case .part(let part):
            let parts = try data.train.split(last: part)
            (train, self.validation) = (.memory(parts.training), .memory(parts.validation))
        case .folder(let path):
            throw ValidationError(
                "--validation \(path): images of a folder do not go with \(data.name.rawValue); name a part, such as 0.1"
            )
        }
        if case .memory(let examples) = train {
            trainingLabels = { examples.targets[0].integers.map { Int($0) } }
        }
    }

    /// The pictures of a folder with `train` and perhaps `validation` and `test`, or with the classes alone.
    ///
    /// - Parameters:
    ///   - results: the folder that results are going to be written to, perhaps among those of classes.
    ///   - areKept: whether decoded pictures stay in memory for the next epoch.
    init(
        folder path: String, validation: Validation?, _ form: Form, seed: UInt64, results: String,
        areKept: Bool
    ) throws {
        let splits = try ImageFolder.splits(of: path, results: results)
        var train = try splits?.train ?? ImageFolder(path, results: results)
        var validationFolder = splits?.validation
        switch validation {
        case nil: break
        case .part(let part): (train, validationFolder) = try train.split(validation: part, seed: seed)
        case .folder(let other):
            let folder = try ImageFolder(other, results: results)
            guard folder.classNames == train.classNames else {
                throw CommandError(
                    "\(other) has the classes \(folder.classNames.joined(separator: ", ")), but \(train.path) has "
                        + train.classNames.joined(separator: ", "))
            }
            validationFolder = folder
        }
        classNames = train.classNames
        try Self.checkClasses(of: train, form)
        self.train = .computed(try form.examples(of: train, areKept: areKept))
        trainingLabels = { [items = train.items] in items.map(\.label) }
        self.validation = try validationFolder.map {
            .computed(try form.examples(of: $0, areKept: areKept))
        }
        // Seen once only, so not kept.
        test = try splits?.test.map { .computed(try form.examples(of: $0, areKept: false)) }
        classFolders = Set(train.classPaths.map(Self.resolved))
        for part in splits?.unlabelled ?? [] { warn(part.withoutClasses) }
        for folder in [train, validationFolder, splits?.test].compactMap(\.self) { warnOfLeftOut(folder) }
    }

    /// Where results may not go: a folder that holds a model is no class any more.
    ///
    /// - Throws: `CommandError` when the folder has the pictures of a class.
    func checkOutput(_ path: String) throws {
        guard classFolders.contains(Self.resolved(path)) else { return }
        throw CommandError(
            "the output folder '\(path)' has the pictures of a class; choose another with --output")
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }
}

/// Says what of a folder is not used.
func warnOfLeftOut(_ folder: ImageFolder) {
    if let leftOut = folder.leftOut { warn("\(folder.path): \(leftOut)") }
}

extension TrainingData.Form: CustomStringConvertible {
    var description: String {
        "\(size.height)×\(size.width) pixels, \(channels == 1 ? "grey" : "in colour")"
    }
}

extension TrainingData {
    /// Such as `2000 pictures of 2 classes, 1000 to validate with and 1000 to test with`.
    var summary: String {
        let others = [(validation, "to validate with"), (test, "to test with")].compactMap { part, use in
            part.map { "\($0.count) \(use)" }
        }
        let all = ["\(train.count) pictures of \(classNames.count) classes"] + others.prefix(1)
        return all.joined(separator: ", ") + others.dropFirst().map { " and \($0)" }.joined()
    }

    /// - Throws: `CommandError` when there is nothing to tell apart, or the classes are most likely parts.
    private static func checkClasses(of folder: ImageFolder, _ form: Form) throws {
        // "train" alone may be a class, as of vehicles.
        let parts = ["train", "validation", "val", "valid", "test"]
        guard !folder.classNames.allSatisfy({ parts.contains($0.lowercased()) }) else {
            throw CommandError(
                "\(folder.path) would have the classes \(folder.classNames.joined(separator: ", ")); a folder is divided into "
                    + "'train' and, if there are any, 'validation' and 'test', in small letters, each with a folder for each class"
            )
        }
        guard folder.classNames.count > 1 else {
            let found = folder.leftOut.map { "; \($0)" } ?? ""
            throw CommandError(
                "\(folder.path) has one class only, \(folder.classNames.joined()); there must be two or more, each in a folder "
                    + "of its own\(found)")
        }
        guard form.classMode != .binary || folder.classNames.count == 2 else {
            throw CommandError(
                "\(folder.path) has \(folder.classNames.count) classes, but the network tells 2 apart; choose another one with "
                    + "--network")
        }
    }
}

extension TrainingData.Form {
    /// Pictures are decoded in the first epoch and kept from then on if they go into this many bytes.
    private static let byteLimit = 1 << 30

    func examples(of folder: ImageFolder, areKept: Bool) throws -> Dataset<Example> {
        let pictures = try Dataset(folder, self)
        let byteCount = folder.items.count * size.height * size.width * channels
        return areKept && byteCount <= Self.byteLimit
            ? try pictures.cached(byteLimit: 2 * Self.byteLimit) : pictures
    }
}

extension TrainingData.Part {
    /// The examples one by one.
    var examples: Dataset<Example> {
        switch self {
        case .memory(let examples): Dataset(examples)
        case .computed(let examples): examples
        }
    }
}

extension TrainingData.Form {
    /// Pictures as a saved model takes them.
    ///
    /// - Parameters:
    ///   - file: where the model is from.
    ///   - size: what pictures are brought to where the model takes any size.
    /// - Throws: `CommandError` when the model takes something else.
    init(_ model: any ModelProtocol, file: String, loss: (any Loss)?, size: Size2D? = nil) throws {
        let shape = try model.inputShape
        guard shape.rank == 3, shape.channels == 1 || shape.channels == 3 else {
            throw CommandError("\(file): the model takes \(shape), not grey or RGB pictures")
        }
        let openSize = shape.accepts([size?.height ?? 0, size?.width ?? 0, shape.channels]) ? size : nil
        guard openSize != nil || !shape.hasOpenExtents else {
            throw CommandError(
                "\(file): the model takes pictures of any size, \(shape), and those of a folder are brought to one: train with "
                    + "--image-size, or write a model for one size with 'fovea convert MODEL sized.safetensors --input-shape "
                    + "224x224x\(shape.channels)'")
        }
        self.init(
            size: openSize ?? Size2D(shape[0], shape[1]), channels: shape.channels,
            classMode: loss?.targetKind.classMode ?? .sparse)
    }
}

extension Dataset where Element == Example {
    init(_ folder: ImageFolder, _ form: TrainingData.Form) throws {
        try self.init(folder, size: form.size, channels: form.channels, classMode: form.classMode)
    }
}
