import Glibc

// What all that write files share: every byte is written, the new name lasts, and a name is known to be that of the open file.

/// Writes all bytes, however many the system takes at a time.
///
/// - Parameter systemWrite: the call that writes some of the rest, which begins at the place given, and returns how many or -1.
/// - Returns: 0, or the system's error number.
package func writeAll(
    _ bytes: [UInt8], using systemWrite: (_ rest: UnsafeRawBufferPointer, _ place: Int) -> Int
) -> Int32 {
    bytes.withUnsafeBytes { bytes in
        var place = 0
        while place < bytes.count {
            let written = systemWrite(UnsafeRawBufferPointer(rebasing: bytes[place...]), place)
            if written > 0 {
                place += written
            } else if written == 0 {
                return EIO
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}

/// Gives a file another name, in place of what had it, and brings the name to the disk.
///
/// - Parameter folder: the folder of `path` if it is open; it stays so.
/// - Returns: the system's error numbers of the renaming and of making it last, 0 for success; the second says nothing when the
///   first failed.
package func renameLastingly(
    _ name: String, to path: String, folder openFolder: Int32? = nil
) -> (renaming: Int32, lasting: Int32) {
    guard rename(name, path) == 0 else { return (errno, 0) }
    let descriptor = openFolder ?? openFolderOf(path)
    guard descriptor >= 0 else { return (0, errno) }
    defer { if openFolder == nil { close(descriptor) } }
    // Some file systems cannot synchronize a folder and say EINVAL.
    return (0, fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno)
}

/// Opens the folder that a path leads into; negative where that fails.
func openFolderOf(_ path: String) -> Int32 { open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC) }

/// The folder that a path leads into, with a slash at its end.
package func folder(of path: String) -> String {
    // In UTF-8, because a Character can be a slash with a mark on it.
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    return slash.map { String(decoding: path.utf8[...$0], as: UTF8.self) } ?? "./"
}

/// Whether a name is that of an open file.
///
/// - Parameter followsLink: whether the name of a link counts as that of the file that it leads to.
package func leads(_ name: String, to descriptor: Int32, followsLink: Bool = false) -> Bool {
    var (named, opened) = (stat(), stat())
    return (followsLink ? stat(name, &named) : lstat(name, &named)) == 0 && fstat(descriptor, &opened) == 0
        && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino
}
