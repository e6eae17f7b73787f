import Foundation
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
    ///   - threads: how many compute when the file is made, as for `loaded`.
    /// - Throws: `DatasetError` when the file belongs to another data set or fingerprint, is damaged, or cannot be read or
    ///   written, and when this data set is endless; what computing examples throws. An example throws it as well when its
    ///   part of the file is found damaged.
    public func cached(
        in path: String, fingerprint: String, threads: Int? = nil
    ) throws -> Dataset {
        try checkFinite("cached")
        let identity = try CacheFile.identity(fingerprint: fingerprint, description: description)
        if !(try CacheFile.exists(path)), let writer = try CacheFileWriter(path) {
            var examples = try loaded(threads: threads).makeAsyncIterator()
            while let example = try examples.nextBlocking() { try writer.append(example) }
            try writer.finish(identity)
        }
        let file = try CacheFile(path, identity: identity, count: extent)
        return Dataset(extent: extent, stages: stages + [cachedStage]) { try file.example(at: $0.index) }
    }
}
