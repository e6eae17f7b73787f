import FoveaSaving

/// One for each kind of file that models and weights are kept in.
let modelReaders: [String: Reader] = Dictionary(
    uniqueKeysWithValues: ModelFileReader.allCases.map { reader in
        (reader.rawValue, { @Sendable bytes in try? reader.read(bytes, name: "input") })
    })
