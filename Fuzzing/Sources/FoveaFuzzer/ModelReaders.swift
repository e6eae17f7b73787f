import Dispatch
import FoveaGraph
import FoveaSaving

/// One for each kind of file that models and weights are kept in.
let modelReaders: [String: Reader] = Dictionary(
    uniqueKeysWithValues: ModelFileReader.allCases.map { reader in
        (
            reader.rawValue,
            { @Sendable bytes in
                // Models are made on the thread that computes.
                let end = DispatchSemaphore(value: 0)
                Task { @Compute in
                    try? reader.read(bytes, name: "input")
                    end.signal()
                }
                end.wait()
            }
        )
    })
