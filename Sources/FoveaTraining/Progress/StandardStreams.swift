@preconcurrency import Glibc
import Synchronization

/// The one way to the process's standard output and standard error. What is written is there at once, in the order in which it
/// was written, wherever the two lead; a failure, such as a reader that has left, ends nothing.
package enum StandardStreams {
    private static let failure = Mutex<Int32?>(nil)

    /// The system's error number of the first text that could not be written to standard output.
    package static var outputFailure: Int32? { failure.withLock { $0 } }

    /// Writes to standard output by the C library's buffer, which `print` uses too, so that what a program has printed before
    /// comes first.
    package static func write(_ text: String) {
        var text = text
        let code: Int32? = text.withUTF8 { bytes in
            let count = fwrite(bytes.baseAddress, 1, bytes.count, stdout)
            return count == bytes.count && fflush(stdout) == 0 ? nil : errno
        }
        if let code { failure.withLock { $0 = $0 ?? code } }
    }

    /// Writes to standard error, after what was printed to standard output before.
    package static func writeError(_ text: String) {
        fflush(stdout)
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }
}
