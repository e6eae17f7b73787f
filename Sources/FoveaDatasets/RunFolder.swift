import Glibc

/// Folders that lie among those of classes and are none: what training runs left there.
extension FolderWalk {
    enum Content { case run, nothing, other }

    /// What a folder holds: a run is one with a `model.safetensors`, or one that has neither pictures nor folders, but a table or
    /// report of a run or any safetensors file, such as a checkpoint; or nothing but folders that hold runs.
    func content(of folder: String) throws(DatasetError) -> Content {
        if access(folder + "/model.safetensors", F_OK) == 0 { return .run }
        // Most are classes, whose many files need not be looked at for this.
        if containsNamedPicture(folder) { return .other }
        let entries = try entries(of: folder)
        let folders = entries.filter(\.isFolder)
        if folders.count == entries.count {
            var content = Content.nothing
            for entry in folders {
                // A link may lead back up.
                switch isLink(entry.path) ? .other : try self.content(of: entry.path) {
                case .run: content = .run
                case .nothing: break
                case .other: return .other
                }
            }
            return content
        }
        guard folders.isEmpty else { return .other }
        var content = Content.other
        for entry in entries {
            if try isPicture(entry) { return .other }
            if ["history.csv", "metrics.json"].contains(entry.name) || isSafetensors(entry.path) {
                content = .run
            }
        }
        return content
    }

    /// Whether a folder among those of classes is one of results: it holds a run; or nothing yet, but that is where they go.
    ///
    /// - Parameter results: the folder that results are going to be written to.
    func isForResults(_ folder: Entry, _ results: String?) throws(DatasetError) -> Bool {
        switch try content(of: folder.path) {
        case .run: true
        case .other: false
        // The command's own folder for runs, which may have come to nothing.
        case .nothing: folder.name == "runs" || results.map { leads(folder.path, to: $0) } ?? false
        }
    }

    /// Whether a path goes through a folder or ends at it.
    private func leads(_ folder: String, to path: String) -> Bool {
        var path = path
        while access(path, F_OK) != 0, let slash = path.lastIndex(of: "/") {
            // The end of the path may be missing.
            path = String(path[..<slash])
        }
        guard let above = realpath(folder, nil), let below = realpath(path, nil) else { return false }
        defer {
            free(above)
            free(below)
        }
        return (String(cString: below) + "/").hasPrefix(String(cString: above) + "/")
    }

    private func containsNamedPicture(_ folder: String) -> Bool {
        guard let stream = opendir(folder) else { return false }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix("."), Self.isNamedLikePicture(name) { return true }
        }
        return false
    }

    private func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// Whether a file begins with a length and a JSON object, as the format says.
    private func isSafetensors(_ path: String) -> Bool {
        guard let start = try? firstBytes(of: path), start.count > 9 else { return false }
        let length = start[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return length <= 100_000_000 && start[8...].starts(with: #"{""#.utf8)
    }
}
