import Foundation
import FoveaFiles
import FoveaLayers

/// The architecture in a file: JSON text, as `fovea summary --json` prints it and as it is in the metadata of model files, or
/// that of a model file.
///
/// - Parameter path: the file; nothing in it is trusted.
/// - Throws: `FileError` when it cannot be read, `SafetensorsError` for a damaged model file, `ModelFileError` when there is
///   no architecture in it. `makeModel` says whether it fits together.
public func architecture(contentsOf path: some PathConvertible) throws -> Configuration {
    let bytes = try AtomicFile.read(path)
    func failure(_ problem: String) -> ModelFileError {
        ModelFileError(file: path.filePath, problem: problem)
    }
    let text: String
    if bytes.first(where: { !" \n\r\t".utf8.contains($0) }) == UInt8(ascii: "{") {
        text = String(decoding: bytes, as: UTF8.self)
    } else {
        let file = try Safetensors(parsing: bytes, file: path.filePath)
        guard let found = file.metadata[SavedModel.architectureKey] else {
            throw failure("there is no architecture in its metadata; it is no model file of Fovea's")
        }
        text = found
    }
    if let problem = BoundedJSON.problem(in: text) {
        throw failure("its architecture cannot be read: \(problem), more than any model needs")
    }
    do { return try JSONDecoder().decode(Configuration.self, from: Data(text.utf8)) } catch {
        throw failure("its architecture cannot be read (\(reason(error)))")
    }
}
