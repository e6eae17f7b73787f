import Foundation

/// What names a file or folder: a `String`, taken literally, or a `URL` of a file.
///
/// Whatever takes a path takes either.
public protocol PathConvertible: Sendable {
    /// The path as the operating system takes it. Of a URL that is no file's it is all of the URL, under which nothing is found.
    var filePath: String { get }
}

extension String: PathConvertible {
    public var filePath: String { self }
}

extension URL: PathConvertible {
    public var filePath: String { isFileURL ? path : absoluteString }
}
