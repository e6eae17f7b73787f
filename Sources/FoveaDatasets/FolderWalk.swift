import FoveaFiles
import FoveaPictures
import Glibc

/// Goes through folders and remembers where it was.
struct FolderWalk {
    struct Entry {
        /// In the normal form, while `path` has the bytes that the folder has.
        let name: String
        let path: String
        let isFolder: Bool
        /// The size of a file; 0 for a link that leads nowhere.
        let byteCount: Int

        /// The name as the folder has it.
        var storedName: String { path.split(separator: "/").last.map(String.init) ?? path }
    }

    private struct Identity: Hashable {
        let device: UInt64
        let number: UInt64
    }

    private(set) var skipped: [String: Int] = [:]
    private(set) var outsideLinkCount = 0
    /// The path by which each folder was reached.
    private var visited: [Identity: String] = [:]
    private let root: String
    private let limit: Int
    private var fileCount = 0

    /// - Throws: `DatasetError` when `path` is no folder.
    init(_ path: String, limit: Int) throws(DatasetError) {
        self.limit = limit
        guard let resolved = realpath(path, nil) else {
            throw DatasetError(
                errno == ENOENT ? .missingFile : .fileAccess, file: path,
                errno == ENOENT
                    ? "there is no such folder; check the path" : "cannot be read: \(systemErrorText())")
        }
        defer { free(resolved) }
        root = String(cString: resolved)
        try visit(path)
    }

    /// Counts a file that is left out.
    mutating func skip(_ path: String) {
        let name = path.split(separator: "/").last ?? ""
        let ending = name.lastIndex(of: ".").map { name[$0...].lowercased() } ?? "no ending"
        skipped[ending, default: 0] += 1
    }

    /// The files and folders in a folder, sorted by their names. Hidden ones are left out, and `__MACOSX`, in which archives
    /// made on a Mac keep what its file system knows of the files.
    func entries(of folder: String) throws(DatasetError) -> [Entry] {
        guard let stream = opendir(folder) else {
            throw DatasetError(.fileAccess, file: folder, "cannot be read: \(systemErrorText())")
        }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else {
                    throw DatasetError(.fileAccess, file: folder, "cannot be read: \(systemErrorText())")
                }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let name else {
                throw DatasetError(.fileAccess, file: folder, "has a file whose name is not UTF-8; rename it")
            }
            if name.utf8.first == UInt8(ascii: ".") || name == "__MACOSX" { continue }
            let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
            // What is named like a picture and is not there is found out when it is decoded.
            let isPicture = Self.isNamedLikePicture(name)
            let status = isPicture ? try? status(of: path) : try status(of: path)
            let isFolder = status.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
            entries.append(
                Entry(
                    name: name.normalForm, path: path, isFolder: isFolder,
                    byteCount: status.map { Int($0.st_size) } ?? 0
                ))
        }
        return entries.sorted { $0.path.precedes($1.path) }
    }

    /// The pictures in a folder and in those below it, sorted by their paths.
    mutating func pictures(below folder: String) throws(DatasetError) -> [Entry] {
        var pictures: [Entry] = []
        var waiting = [folder]
        while let next = waiting.popLast() {
            try visit(next)
            for entry in try entries(of: next) {
                if entry.isFolder {
                    waiting.append(entry.path)
                    continue
                }
                fileCount += 1
                guard fileCount <= limit else {
                    throw DatasetError(
                        .tooLarge, file: root, "holds more than \(limit) files; give a folder further down")
                }
                noteLink(entry.path)
                if try isPicture(entry) {
                    pictures.append(entry)
                } else {
                    skip(entry.path)
                }
            }
        }
        return pictures.sorted { $0.path.precedes($1.path) }
    }

    private mutating func visit(_ folder: String) throws(DatasetError) {
        let status = try status(of: folder)
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw DatasetError(.fileAccess, file: folder, "is no folder; give the path of one")
        }
        let identity = Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
        if let earlier = visited.updateValue(folder, forKey: identity) {
            throw DatasetError(
                .wrongFormat, file: folder,
                "is the same folder as \(earlier), so its pictures would count twice or without end; remove the link"
            )
        }
        noteLink(folder)
    }

    private mutating func noteLink(_ path: String) {
        var own = stat()
        guard lstat(path, &own) == 0, own.st_mode & S_IFMT == S_IFLNK, let resolved = realpath(path, nil)
        else {
            return
        }
        defer { free(resolved) }
        let target = String(cString: resolved)
        if target != root, !target.hasPrefix(root + "/") { outsideLinkCount += 1 }
    }

    /// What a path, or the target of a link, is.
    private func status(of path: String) throws(DatasetError) -> stat {
        var result = stat()
        guard stat(path, &result) == 0 else {
            throw DatasetError(
                errno == ENOENT ? .missingFile : .fileAccess, file: path,
                errno == ENOENT
                    ? "is a link that leads nowhere; remove it" : "cannot be read: \(systemErrorText())")
        }
        return result
    }

    private static let endings = Set(PictureFormat.allCases.flatMap(\.fileExtensions))

    static func isNamedLikePicture(_ name: String) -> Bool {
        guard let dot = name.lastIndex(of: ".") else { return false }
        return endings.contains(name[name.index(after: dot)...].lowercased())
    }

    /// Whether a file is named like a picture, or its first bytes are those of one.
    func isPicture(_ file: Entry) throws(DatasetError) -> Bool {
        if Self.isNamedLikePicture(file.name) { return true }
        return PictureFormat(try firstBytes(of: file.path)) != nil
    }

    /// As many bytes as tell what kind of file it is; none of what is no ordinary file.
    func firstBytes(of path: String) throws(DatasetError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw DatasetError(.fileAccess, file: path, "cannot be opened: \(systemErrorText())")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
        var bytes = [UInt8](repeating: 0, count: 12)
        let count = read(descriptor, &bytes, bytes.count)
        guard count >= 0 else {
            throw DatasetError(.fileAccess, file: path, "cannot be read: \(systemErrorText())")
        }
        return Array(bytes.prefix(count))
    }
}
