import FoveaFiles
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

extension DatasetError: ReadingFailure {
    package init(_ problem: ReadingProblem, file: String, message: String) {
        let kind: Kind =
            switch problem {
            case .missingFile: .missingFile
            case .fileAccess: .fileAccess
            case .truncated: .truncated
            case .damaged: .corruptGzip
            }
        self.init(kind, file: file, message)
    }
}

// What readers of data sets read from.
typealias ByteSource = FoveaFiles.ByteSource<DatasetError>
typealias Inflater = FoveaFiles.Inflater<DatasetError>
typealias UnpackedFile = FoveaFiles.UnpackedFile<DatasetError>

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
