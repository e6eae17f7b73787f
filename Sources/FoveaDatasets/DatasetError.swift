import FoveaGraph

/// Data could not be read, found, downloaded or divided as asked.
public struct DatasetError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// An argument is outside what the function can work with.
        case invalidArgument
        /// There are not as many inputs as targets.
        case mismatchedCounts
        /// No data set has this name.
        case unknownName
        /// The file does not exist.
        case missingFile
        /// The operating system refused to read or write the file.
        case fileAccess
        /// The file ends before the data that it announces.
        case truncated
        /// The file goes on after the data that it announces.
        case trailingBytes
        /// The bytes are not in the expected format.
        case wrongFormat
        /// The elements are not of the expected type.
        case wrongElementType
        /// The tensor has not the expected shape.
        case wrongShape
        /// The gzip stream is damaged.
        case corruptGzip
        /// The data is larger than the limit.
        case tooLarge
        /// A label is not the number of a class.
        case labelOutOfRange
        /// The server could not be reached or did not send the file.
        case downloadFailed
        /// The connection ended before the file was complete; what arrived is kept.
        case downloadIncomplete
        /// The downloaded bytes are not the published ones.
        case wrongChecksum
    }

    public let kind: Kind
    /// The file or URL that the error is about.
    public let file: String?
    /// What is wrong, what was expected and what to try.
    public let message: String

    public init(_ kind: Kind, file: String? = nil, _ message: String) {
        self.kind = kind
        self.file = file
        self.message = message
    }

    public var description: String { describedError(file, message) }
}

/// The text of an error. Names in it may come from anywhere.
func describedError(_ file: String?, _ message: String) -> String {
    visible(file.map { "\($0): \(message)" } ?? message)
}

/// Runs `body`; the error that it throws names `file`.
func checkingShape<Result>(
    of file: String? = nil, _ body: () throws(ShapeError) -> Result
) throws(DatasetError) -> Result {
    do throws(ShapeError) {
        return try body()
    } catch {
        throw DatasetError(.wrongShape, file: file, error.description)
    }
}
