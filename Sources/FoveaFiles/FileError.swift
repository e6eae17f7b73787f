import Glibc

/// A file that could not be read or written.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was being done when it went wrong.
    public enum Operation: String, Hashable, Sendable {
        case open, read, inspect, create, write, synchronize, close, rename
        /// The new file is in place already, but might not outlive a loss of power.
        case synchronizeFolder = "synchronize the folder of"
    }

    /// The path as the caller gave it.
    public let path: String
    public let operation: Operation
    /// The system's error number, such as `ENOSPC`.
    public let code: Int32

    public init(path: String, operation: Operation, code: Int32) {
        self.path = path
        self.operation = operation
        self.code = code
    }

    public var description: String {
        let advice = hint.map { "; \($0)" } ?? ""
        return visible(
            "\(path): could not \(operation.rawValue) this file: \(String(cString: strerror(code)))\(advice)")
    }

    /// What to try, where the error number tells.
    public var hint: String? {
        switch code {
        case ENOSPC: "free some space on the disk or choose another one"
        case EDQUOT: "the disk quota is used up: delete files or choose another disk"
        case EROFS: "the disk is mounted read-only: choose another folder"
        case EACCES, EPERM: "check the permissions of the file and its folder or choose another folder"
        case ENOENT: "check the path; the folder it is in has to exist"
        case ENOTDIR: "a part of the path is not a folder: check the path"
        case EISDIR: "the path is a folder: name a file in it"
        case ENAMETOOLONG: "choose a shorter name"
        case ELOOP: "the path goes through too many symbolic links"
        case EINVAL where path.utf8.contains(0): "a path cannot contain a zero byte"
        case EMFILE, ENFILE: "too many files are open: close some or raise the limit (ulimit -n)"
        case EFBIG where operation == .read: "the file is larger than this machine's memory"
        case EFBIG: "the file system or a limit (ulimit -f) allows no file of this size"
        case ENOTSUP: "the path is a device, pipe or socket: name an ordinary file"
        case EIO: "the disk reports a fault: check it and choose another one"
        default: nil
        }
    }
}
