import Foundation
import FoveaGraph

/// Finds named data sets on this machine, or downloads them.
///
/// The files of a data set are looked for in `$FOVEA_DATA/<name>`, in `$FOVEA_DATA`, in the cache, and among
/// the data sets that the system's packages installed; each with or without `.gz` and spelt `-idx3-ubyte` or
/// `.idx3-ubyte`. What is nowhere found is downloaded to the cache and checked against its published SHA-256.
public struct DatasetLibrary: Sendable {
    private let environment: [String: String]
    private let systemDirectory: String
    private let transport: any DownloadTransport
    private let progress: @Sendable (DownloadProgress) -> Void

    /// - Parameters:
    ///   - environment: Where `FOVEA_DATA`, `FOVEA_CACHE`, `XDG_CACHE_HOME` and `HOME` are read.
    ///   - systemDirectory: Has a folder for each data set that a package installed.
    ///   - transport: What fetches files from the network.
    ///   - progress: Called, possibly on another thread, as a download goes on.
    public init(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        systemDirectory: String = "/usr/share/datasets",
        transport: any DownloadTransport = URLSessionTransport(),
        progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
    ) {
        self.environment = environment
        self.systemDirectory = systemDirectory
        self.transport = transport
        self.progress = progress
    }

    /// Reads a data set, downloading what this machine does not have of it.
    ///
    /// - Throws: `DatasetError` when files are damaged, do not fit together or cannot be fetched;
    ///   `CancellationError`.
    public func load(_ name: DatasetName) async throws -> NamedDataset {
        let info = name.info
        if info.files.isEmpty { return try ShapesDataset.draw() }
        let paths: [String]
        if let found = try installedFiles(of: name) {
            paths = found
        } else {
            paths = try await downloadedFiles(of: name)
        }
        func examples(images: String, labels: String) throws(DatasetError) -> Examples {
            let examples = try IDX.readExamples(images: images, labels: labels, classCount: info.classCount)
            let shape = Shape(Array(examples.inputs[0].shape.dimensions.dropFirst()))
            guard shape == info.imageShape else {
                throw DatasetError(
                    .wrongShape, file: images,
                    "holds images of shape \(shape); those of \(info.title) are \(info.imageShape)")
            }
            return examples
        }
        return NamedDataset(
            name: name, classNames: info.classNames,
            train: try examples(images: paths[0], labels: paths[1]),
            test: try examples(images: paths[2], labels: paths[3]))
    }

    /// The folder for what can be had again: `$FOVEA_CACHE`, else `$XDG_CACHE_HOME/fovea`, else `~/.cache/fovea`; nil when
    /// none of these variables, nor `HOME`, is set.
    public var cacheDirectory: String? {
        if let chosen = setting("FOVEA_CACHE") { return chosen }
        // The XDG specification has relative paths ignored.
        if let caches = setting("XDG_CACHE_HOME"), caches.hasPrefix("/") { return caches + "/fovea" }
        return setting("HOME").map { $0 + "/.cache/fovea" }
    }

    /// The folder in `cacheDirectory` that downloads of a data set go to.
    ///
    /// - Throws: `DatasetError` when there is no `cacheDirectory`.
    public func cacheDirectory(of name: DatasetName) throws(DatasetError) -> String {
        guard let cacheDirectory else {
            throw DatasetError(
                .fileAccess, "no folder is known for downloads; set FOVEA_CACHE, XDG_CACHE_HOME or HOME")
        }
        return cacheDirectory + "/" + name.rawValue
    }

    private func setting(_ variable: String) -> String? {
        environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The folders searched, in order; without a cache where no folder is known for it.
    private func directories(for name: DatasetName) -> [String] {
        let chosen = setting("FOVEA_DATA")
        return [
            chosen.map { $0 + "/" + name.rawValue }, chosen, try? cacheDirectory(of: name),
            systemDirectory + "/" + name.rawValue,
        ].compactMap(\.self)
    }

    /// The paths of the files of a data set, in the order of its `files`, or nil when no folder has them all.
    ///
    /// - Throws: `DatasetError` when a folder that `FOVEA_DATA` names has some of them only.
    private func installedFiles(of name: DatasetName) throws(DatasetError) -> [String]? {
        let files = name.info.files
        let chosen = setting("FOVEA_DATA")
        for directory in directories(for: name) {
            let found = files.map { path(of: $0, in: directory) }
            let paths = found.compactMap(\.self)
            if directory == chosen, try isAnother(than: name, paths: paths) { continue }
            if paths.count == files.count { return paths }
            if !paths.isEmpty, directory == chosen || directory == chosen.map({ $0 + "/" + name.rawValue }) {
                let missing = zip(files, found).filter { $1 == nil }.map(\.0.name)
                throw DatasetError(
                    .missingFile, file: directory,
                    "holds only a part of \(name.info.title); add \(missing.joined(separator: ", "))")
            }
        }
        return nil
    }

    private func path(of file: DatasetFile, in directory: String) -> String? {
        file.spellings.map { directory + "/" + $0 }.first { FileManager.default.fileExists(atPath: $0) }
    }

    /// Whether files that lie in a folder not named after a data set are the published files of another one.
    ///
    /// MNIST and Fashion-MNIST have the same file names and sizes, so one could be taken for the other.
    private func isAnother(than name: DatasetName, paths: [String]) throws(DatasetError) -> Bool {
        guard let smallest = paths.last else { return false }
        let others = DatasetName.allCases.filter { $0 != name }.flatMap(\.info.files)
        guard let limit = others.map(\.byteCount).max() else { return false }
        do throws(DatasetError) {
            let sum = try unpackedSHA256(of: smallest, limit: limit)
            return others.contains { $0.sha256 == sum }
        } catch {
            if error.kind == .tooLarge { return false }
            throw error
        }
    }

    private func downloadedFiles(of name: DatasetName) async throws -> [String] {
        let directory = try cacheDirectory(of: name)
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw DatasetError(.fileAccess, file: directory, "cannot be made: \(error.localizedDescription)")
        }
        var paths: [String] = []
        for file in name.info.files {
            if let path = path(of: file, in: directory) {
                paths.append(path)
                continue
            }
            let download = Download(
                file: file, directory: directory, transport: transport, progress: progress)
            do {
                paths.append(try await download.fetch(from: name.info.sources))
            } catch let error as DatasetError {
                let places = directories(for: name).joined(separator: ", ")
                throw DatasetError(
                    error.kind, file: error.file,
                    """
                    \(error.message). \(name.info.title) is not in \(places). To use a copy of your own, put its \
                    files in one folder and set FOVEA_DATA to that folder
                    """)
            }
        }
        return paths
    }
}
