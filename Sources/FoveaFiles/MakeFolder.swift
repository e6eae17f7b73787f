import Glibc

/// What the operating system refused.
package struct SystemError: Error, CustomStringConvertible {
    /// The system's error number, such as `ENOSPC`.
    package let code: Int32

    package init(code: Int32) { self.code = code }

    package var description: String { String(cString: strerror(code)) }
}

/// Makes a folder, and those above it that are missing.
///
/// - Returns: the folders that were made, the uppermost first.
/// - Throws: `SystemError`, also when there is something else under this name; then no folder is left that was made.
@discardableResult
package func makeFolder(_ path: String) throws(SystemError) -> [String] {
    let ends = path.utf8.indices.dropFirst().filter { path.utf8[$0] == UInt8(ascii: "/") } + [path.endIndex]
    var made: [String] = []
    var attempts = 3
    while true {
        do throws(SystemError) {
            for end in ends {
                let folder = String(path[..<end])
                if try makeOneFolder(folder) { made.append(folder) }
            }
            return made
        } catch {
            for folder in made.reversed() { rmdir(folder) }
            made = []
            attempts -= 1
            // Another process may have removed one of them that was empty.
            guard error.code == ENOENT, attempts > 0 else { throw error }
        }
    }
}

/// Returns whether there was none.
private func makeOneFolder(_ path: String) throws(SystemError) -> Bool {
    if mkdir(path, 0o777) == 0 { return true }
    let code = errno
    // On a file system that cannot be written to, a folder that exists is as good.
    var status = stat()
    guard stat(path, &status) == 0 else { throw SystemError(code: code == EEXIST ? errno : code) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw SystemError(code: ENOTDIR) }
    return false
}
