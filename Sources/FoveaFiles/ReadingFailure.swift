/// What can go wrong while bytes are read, whatever they mean.
package enum ReadingProblem: Sendable {
    /// There is no such file.
    case missingFile
    /// The operating system refused, or it is no ordinary file.
    case fileAccess
    /// Packed data ends too early.
    case truncated
    /// Packed data is not what it should be.
    case damaged
}

/// An error that readers of files throw. Each target has one of its own, so that its callers need to catch one type only; the
/// readers here throw whichever they are used with.
package protocol ReadingFailure: Error {
    /// - Parameters:
    ///   - problem: what went wrong.
    ///   - file: the file or data that the error is about.
    ///   - message: what is wrong and what to try.
    init(_ problem: ReadingProblem, file: String, message: String)
}

/// The text of an error. Names in it may come from anywhere.
package func describedError(_ file: String?, _ message: String) -> String {
    visible(file.map { "\($0): \(message)" } ?? message)
}

/// The bytes that `body` writes into memory of `count` bytes; it returns how many it wrote.
package func readingBytes<Failure: Error>(
    count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
) throws(Failure) -> [UInt8] {
    var failure: Failure?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { memory, initializedCount in
        do throws(Failure) {
            initializedCount = try body(UnsafeMutableRawBufferPointer(memory))
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return bytes
}
