import FoveaFiles
import FoveaGraph
import FoveaTraining
import Glibc

/// Writes the history to a table after each epoch, as `History.csv` has it: a line per epoch under a line of names.
///
/// The file is always whole: it is written anew after each epoch. When training is resumed (`BackupAndRestore`), the table
/// goes on. When it cannot be written, that is a warning, and the next epoch writes it (`failure`). Epochs count from 1 (in Keras from 0), and the last column has the seconds.
public final class CSVLogger: Callback {
    public let path: String
    public let separator: String
    public let append: Bool
    /// How many bytes of the file were there before this training.
    private var keptByteCount = 0
    private var writing = RepeatedWriting()

    /// Why the file could not be written the last time; nil when it could, or never had to be.
    public var failure: FileError? { writing.failure }

    /// - Parameters:
    ///   - path: the file; its folder must exist.
    ///   - separator: what stands between two fields: no letters, digits, points, signs, quotes or line breaks.
    ///   - append: whether the table goes on behind what the file has; else that is replaced.
    nonisolated public init(_ path: some PathConvertible, separator: String = ",", append: Bool = false) {
        self.path = path.filePath
        self.separator = separator
        self.append = append
    }

    /// - Throws: `TrainingError.invalidArgument` for a separator that could be part of a field; `FileError` when the file
    ///   cannot be written.
    public func trainingBegins(_ run: TrainingRun) throws {
        guard !separator.isEmpty,
            separator.allSatisfy({ !$0.isLetter && !$0.isNumber && !$0.isNewline && !".+-_\"".contains($0) })
        else {
            throw TrainingError.invalidArgument(
                "separator of CSVLogger", separator.debugDescription,
                expected: "a text that is no part of names and numbers, such as ',' or ';'")
        }
        guard run.writesFiles else { return }
        try AtomicFile.checkWritable(path)
        keptByteCount = append ? try earlierBytes().count : 0
    }

    public func epochEnds(_ run: TrainingRun) throws {
        if run.writesFiles { try writing.attempt(run, path) { try write(run.history) } }
    }

    private func write(_ history: History) throws {
        var bytes = keptByteCount > 0 ? Array(try earlierBytes().prefix(keptByteCount)) : []
        var table = history.csv(separator: separator)[...]
        if let last = bytes.last {
            // The line of names is there already.
            if last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
            table = table.drop { $0 != "\n" }.dropFirst()
        }
        try AtomicFile.write(bytes + Array(table.utf8), to: path)
    }

    /// What is in the file; nothing when there is none.
    private func earlierBytes() throws -> [UInt8] {
        do { return try AtomicFile.read(path) } catch  where error.code == ENOENT { return [] }
    }

    public var memory: CallbackMemory {
        get { CallbackMemory(numbers: ["kept_bytes": Double(keptByteCount)]) }
        set { keptByteCount = max(0, newValue.count("kept_bytes")) }
    }
}
