import FoveaFiles

/// A picture could not be read, made, changed or written.
public struct PictureError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// An argument is outside what the function can work with.
        case invalidArgument
        /// The file does not exist.
        case missingFile
        /// The operating system refused to read the file, or it is no regular file.
        case unreadable
        /// The first bytes are those of no format that is read.
        case unknownFormat
        /// The file ends before its last pixel or its end mark.
        case truncated
        /// The data contradicts its format.
        case corrupt
        /// The picture or the file is larger than the limit.
        case tooLarge
        /// The format is known, but not this variant of it.
        case unsupported
        /// There is not enough memory.
        case outOfMemory
        /// The picture cannot be written in this format.
        case encoding
    }

    public let kind: Kind
    /// The file that the error is about, where it came from one.
    public let file: String?
    /// What was found, what was expected and what to try.
    public let message: String

    public init(_ kind: Kind, file: String? = nil, _ message: String) {
        self.kind = kind
        self.file = file
        self.message = message
    }

    public var description: String { describedError(file, message) }
}

extension PictureError: ReadingFailure {
    package init(_ problem: ReadingProblem, file: String, message: String) {
        let kind: Kind =
            switch problem {
            case .missingFile: .missingFile
            case .fileAccess: .unreadable
            case .truncated: .truncated
            case .damaged: .corrupt
            }
        self.init(kind, file: file, message)
    }
}
