import Foundation
import FoveaFiles
import FoveaGraph

extension Dataset where Element == Example {
    /// Examples that are kept in a file, each as it is in epoch 0.
    ///
    /// When there is no such file, all examples are computed and written first; on failure or when the process is killed,
    /// nothing is left under that name, though perhaps under it with `.partial` behind, to be written over. When there is a
    /// file, its examples are read from then on, and nothing is computed; one that is being written is waited for.
    ///
    /// The file is for this machine: it says how many examples there are and what they were made of, and has a checksum for
    /// each. It should be removed, or have another name, when what the examples are made of changes.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - fingerprint: what the examples are made of, as far as this data set's `description` does not tell: the folder of
    ///     pictures, say, and a number that goes up with changes of the code that prepares them.
    ///   - keepsErrors: whether an example that cannot be computed, such as a damaged picture, is kept as what its error says,
    ///     and throws that as `DatasetError` whenever it is asked for: `batched(onError:)` may leave it out. Otherwise no file
    ///     is made, nor is it when all fail. Passing errors are kept as well.
    ///   - threads: how many compute when the file is made, as for `loaded`.
    /// - Throws: `DatasetError` when the file belongs to another data set or fingerprint, is damaged, or cannot be read or
    ///   written, and when this data set is endless; what computing examples throws. An example throws it as well when its
    ///   part of the file is found damaged.
    public func cached(
        in path: some PathConvertible, fingerprint: String, keepsErrors: Bool = false, threads: Int? = nil
    ) throws -> Dataset {
        let path = path.filePath
        try checkFinite("cached")
        let identity = try CacheFile.identity(fingerprint: fingerprint, description: description)
        if !(try CacheFile.exists(path)), let writer = try CacheFileWriter(path) {
            var examples = try results.loaded(threads: threads).makeAsyncIterator()
            var areAllErrors = true
            var firstError: (any Error)?
            while let example = try examples.nextBlocking() {
                switch example {
                case .success: areAllErrors = false
                case .failure(let error):
                    guard keepsErrors else { throw error }
                    firstError = firstError ?? error
                }
                try writer.append(example)
            }
            if areAllErrors, let firstError { throw firstError }
            try writer.finish(identity)
        }
        let file = try CacheFile(path, identity: identity, count: extent)
        return Dataset(extent: extent, stages: stages + [cachedStage]) { try file.example(at: $0.index) }
    }

    /// Elements, or why they cannot be computed.
    private var results: Dataset<Result<Example, any Error>> {
        Dataset<Result<Example, any Error>>(
            extent: extent, stages: stages,
            pieces: { place in
                let work = self.work(at: place)
                return Work(pieces: work.pieces) { Result(catching: work.result) }
            },
            compute: { place in Result { try compute(place) } })
    }
}
