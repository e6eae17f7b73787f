import FoveaFiles
import FoveaGraph
import FoveaTraining

/// How callbacks write files while a model is trained. A training is worth more than a file, so one that cannot be written is a
/// warning, and is written at the next occasion.
struct RepeatedWriting {
    /// Why it could not be done the last time; nil when it could.
    private(set) var failure: FileError?

    /// Writes a file.
    ///
    /// - Returns: whether it could be written.
    /// - Throws: what is not a `FileError`.
    @Compute
    @discardableResult
    mutating func attempt(_ run: TrainingRun, _ path: String, _ write: () throws -> Void) throws -> Bool {
        do {
            try write()
        } catch let error as FileError {
            if failure == nil {
                run.warn("\(error). Training goes on, and it is tried again at the next occasion")
            }
            failure = error
            return false
        }
        if failure != nil { run.warn("\(path): could be written now") }
        failure = nil
        return true
    }
}
