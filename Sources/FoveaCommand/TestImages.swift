import Fovea

/// What a model is measured on.
struct TestImages {
    let examples: Dataset<Example>
    let classNames: [String]
    /// What an image is called, by its number.
    let name: (Int) -> String
    /// The same without the folder that all are in.
    let shortName: (Int) -> String
    /// What they are, such as `test images of mnist`.
    let description: String

    /// - Parameters:
    ///   - dataset: a data set's name or a folder, of which the part `test` is meant or all if it has folders of classes only.
    ///   - file: where the model is from.
    /// - Throws: `ValidationError` for what is neither; `CommandError` when there are no test images or they do not fit the model; what
    ///   reading them throws.
    init(_ dataset: String, for saved: SavedModel, file: String) async throws {
        switch try DataSource(dataset) {
        case .named(let name): try self.init(await load(name), for: saved)
        case .folder(let path):
            try self.init(Self.testFolder(path), called: "pictures of \(path)", for: saved, file: file)
        }
    }

    init(_ data: NamedDataset, for saved: SavedModel) throws {
        let name = data.name.rawValue
        try saved.checkClasses(data.classNames, of: name)
        let wantsRows = saved.training?.onlyOutput?.loss?.targetKind.classMode == .categorical
        examples = Dataset(wantsRows ? try data.test.withRows(classCount: data.classNames.count) : data.test)
        classNames = data.classNames
        self.name = { "\(name) test image \($0)" }
        shortName = { "test image \($0)" }
        description = "test images of \(name)"
    }

    init(_ folder: ImageFolder, called description: String, for saved: SavedModel, file: String) throws {
        warnOfLeftOut(folder)
        try saved.checkClasses(folder.classNames, of: folder.path)
        let form = try TrainingData.Form(saved.model, file: file, loss: saved.training?.onlyOutput?.loss)
        examples = try Dataset(folder, form)
        classNames = folder.classNames
        name = { folder.items[$0].path }
        shortName = { String(folder.items[$0].path.trimmingPrefix(folder.path + "/")) }
        self.description = description
    }

    /// The test pictures of a folder.
    private static func testFolder(_ path: String) throws -> ImageFolder {
        let splits = try ImageFolder.splits(of: path)
        if let splits, splits.test == nil {
            let others = [splits.train, splits.validation].compactMap { $0?.path }.joined(separator: " or ")
            let test = splits.unlabelled.first { $0.path.hasSuffix("/test") }
            let found = test?.withoutClasses ?? "\(path): has no part 'test' to measure with"
            throw CommandError("\(found); name another one: \(others)")
        }
        return try splits?.test ?? ImageFolder(path)
    }
}

extension SavedModel {
    /// - Throws: `CommandError` when the model tells other classes apart.
    func checkClasses(_ names: [String], of source: String) throws {
        guard classNames.isEmpty || classNames == names else {
            throw CommandError(
                "\(source) has the classes \(names.joined(separator: ", ")), but the model tells "
                    + "\(classNames.joined(separator: ", ")) apart")
        }
    }
}
