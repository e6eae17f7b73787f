import Foundation
import FoveaFiles
import FoveaGraph

/// Finds named data sets on this machine, or downloads them.
///
/// The files of a data set are looked for in `$FOVEA_DATA/<name>`, in `$FOVEA_DATA`, in the cache, and among
/// the data sets that the system's packages installed; MNIST's with or without `.gz` and spelt `-idx3-ubyte` or
/// `.idx3-ubyte`, CIFAR's as the published archive or unpacked, and any file in a folder of its own name, as Kaggle has them.
/// What is nowhere found is downloaded to the cache and checked against its published checksum: SHA-256, and the MD5 that
/// OpenML gives for its files.
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
        systemDirectory: some PathConvertible = "/usr/share/datasets",
        transport: any DownloadTransport = URLSessionTransport(),
        progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
    ) {
        self.environment = environment
        self.systemDirectory = systemDirectory.filePath
        self.transport = transport
        self.progress = progress
    }

    /// Reads a data set, downloading what this machine does not have of it.
    ///
    /// - Throws: `DatasetError` when files are damaged, do not fit together or cannot be fetched;
    ///   `CancellationError`.
    public func load(_ name: DatasetName) async throws -> NamedDataset {
        if let installed = try installed(name) { return installed }
        return try name.read(.published(await downloadedFiles(of: name)))
    }

    /// Reads a data set if this machine has it, and downloads nothing.
    ///
    /// - Returns: nil when no folder has all of its files.
    /// - Throws: `DatasetError` when files are damaged or do not fit together.
    public func installed(_ name: DatasetName) throws -> NamedDataset? {
        if name.info.files.isEmpty { return try ShapesDataset.draw() }
        return try installedFiles(of: name).map { try name.read($0) }
    }

    /// Compares the files that this machine has of a data set with the published ones.
    ///
    /// - Returns: what was found, file by file; nothing for a data set that is drawn.
    /// - Throws: `DatasetError` when the data set is not on this machine or a file cannot be read; `CancellationError`.
    public func verify(_ name: DatasetName) async throws -> [FileCheck] {
        let info = name.info
        if info.files.isEmpty { return [] }
        switch try installedFiles(of: name) {
        case .published(let paths):
            var checks: [FileCheck] = []
            for (file, path) in zip(info.files, paths) {
                checks.append(try await FileCheck(path, isCopyOf: file, with: published(file, info).checksum))
            }
            return checks
        case .unpacked(let folder, let kind):
            return try kind.byteCounts.map { (name, byteCount) throws(DatasetError) in
                try FileCheck(folder + "/" + name, byteCount: byteCount)
            }
        case nil:
            throw DatasetError(
                .missingFile,
                "\(info.title) is not on this machine; get it first. It is not in \(places(for: name))")
        }
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
        return cacheDirectory + "/" + name.folder
    }

    private func setting(_ variable: String) -> String? {
        environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The folders searched, in order; without a cache where no folder is known for it.
    private func directories(for name: DatasetName) -> [String] {
        let chosen = setting("FOVEA_DATA")
        return [
            chosen.map { $0 + "/" + name.folder }, chosen, try? cacheDirectory(of: name),
            systemDirectory + "/" + name.folder,
        ].compactMap(\.self)
    }

    private func places(for name: DatasetName) -> String { directories(for: name).joined(separator: ", ") }

    /// The files of a data set, or nil when no folder has them all.
    ///
    /// - Throws: `DatasetError` when `FOVEA_DATA` names no folder, or one that has some of them only.
    private func installedFiles(of name: DatasetName) throws(DatasetError) -> InstalledFiles? {
        let info = name.info
        let chosen = setting("FOVEA_DATA")
        var isFolder = ObjCBool(false)
        if let chosen, FileManager.default.fileExists(atPath: chosen, isDirectory: &isFolder),
            !isFolder.boolValue
        {
            throw DatasetError(
                .fileAccess, file: chosen, "is no folder; set FOVEA_DATA to the folder that has the data sets"
            )
        }
        for directory in directories(for: name) {
            let isOwn = directory == chosen || directory == chosen.map({ $0 + "/" + name.folder })
            let found = info.files.map { path(of: $0, in: directory) }
            let paths = found.compactMap(\.self)
            if directory == chosen, try isAnother(than: name, paths: paths) { continue }
            if paths.count == info.files.count { return .published(paths) }
            func refusePart(_ names: [String], _ present: [Bool]) throws(DatasetError) {
                guard isOwn, present.contains(true) else { return }
                let missing = zip(names, present).filter { !$1 }.map(\.0)
                throw DatasetError(
                    .missingFile, file: directory,
                    "holds only a part of \(info.title); add \(missing.joined(separator: ", "))")
            }
            try refusePart(info.files.map(\.name), found.map { $0 != nil })
            guard case .cifar(let kind) = info.format else { continue }
            for folder in [directory, directory + "/" + kind.members.folder] {
                let names = kind.byteCounts.map(\.name)
                let present = names.map { isFile(folder + "/" + $0) }
                if !present.contains(false) { return .unpacked(folder: folder, kind) }
                try refusePart(names, present)
            }
        }
        return nil
    }

    private func path(of file: DatasetFile, in directory: String) -> String? {
        file.spellings.map { directory + "/" + $0 }.first(where: isFile)
    }

    /// Whether there is something of this name that is not a folder, which others may have unpacked the file to.
    private func isFile(_ path: String) -> Bool {
        var isFolder = ObjCBool(false)
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }

    /// Whether files that lie in a folder not named after a data set are the published files of another one.
    ///
    /// MNIST and Fashion-MNIST have the same file names and sizes, so one could be taken for the other.
    private func isAnother(than name: DatasetName, paths: [String]) throws(DatasetError) -> Bool {
        guard let smallest = paths.last, let own = name.info.files.last else { return false }
        let others = DatasetName.allCases.flatMap(\.info.files).filter {
            $0.name == own.name && $0.checksum != own.checksum
        }
        for other in others {
            do throws(DatasetError) {
                guard let sum = other.checksum else { continue }
                if try other.checksum(ofCopy: smallest, as: sum) == sum { return true }
            } catch {
                if error.kind != .tooLarge { throw error }
            }
        }
        return false
    }

    private func downloadedFiles(of name: DatasetName) async throws -> [String] {
        let directory = try cacheDirectory(of: name)
        do throws(SystemError) { try makeFolder(directory) } catch {
            throw DatasetError(
                .fileAccess, file: directory,
                "the folder for downloads cannot be made: \(error); set FOVEA_CACHE to a folder that can be written to"
            )
        }
        var paths: [String] = []
        for file in name.info.files {
            if let path = path(of: file, in: directory) {
                paths.append(path)
                continue
            }
            do {
                let (checksum, urls) = try await published(file, name.info)
                let download = Download(
                    file: file, checksum: checksum, directory: directory, transport: transport,
                    progress: progress)
                paths.append(try await download.fetch(from: urls))
            } catch let error as DatasetError {
                throw DatasetError(
                    error.kind, file: error.file,
                    """
                    \(error.message). \(name.info.title) is not in \(places(for: name)). To use a copy of your own, put \
                    its files in one folder and set FOVEA_DATA to that folder
                    """)
            }
        }
        return paths
    }

    /// The checksum of a file and the URLs that have it, in the order to try them. For OpenML the description tells both.
    private func published(
        _ file: DatasetFile, _ info: DatasetInfo
    ) async throws -> (checksum: Checksum, urls: [String]) {
        if let checksum = file.checksum {
            return (checksum, info.sources.map { $0 + file.publishedName })
        }
        guard case .openML(let id, _) = info.format else {
            throw DatasetError(.downloadFailed, file: file.name, "has no published checksum")
        }
        let url = OpenML.descriptionURL(of: id)
        let bytes = try await transport.bytes(url, limit: OpenML.descriptionLimit)
        let description = try OpenML(bytes, id: id, file: url)
        return (description.checksum, [description.url])
    }
}
