import FoveaDatasets

/// One for each kind of file that data sets are published in.
let fileReaders: [String: Reader] = Dictionary(
    uniqueKeysWithValues: MemoryReader.allCases.map { reader in
        (reader.rawValue, { @Sendable bytes in try? reader.read(bytes, name: "input", limit: byteLimit) })
    })

/// So much data that a second is enough for any file that is accepted.
private let byteLimit = 1 << 20
