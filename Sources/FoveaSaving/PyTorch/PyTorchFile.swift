import FoveaFiles
import FoveaGraph

/// The tensors in a file of `torch.save`, `.pt` or `.pth`: a state dictionary, or a checkpoint with such dictionaries in it. Both
/// containers are read, the ZIP archives of PyTorch 1.6 and later and the pickles of before.
///
/// Nothing of Python's is run: the part of the pickle language that tensors are written in is read as data, and files with
/// other objects (whole modules, TorchScript) are refused.
public struct PyTorchFile: Sendable {
    /// In the order of the file. The name of one in a dictionary within another has the keys with dots between, such as
    /// `state_dict.conv1.weight`. Views are as they look, whatever the order of their elements in the file.
    public let tensors: [StoredTensor]
    /// What else there is, numbers and texts, by such names.
    public let values: [(name: String, value: String)]

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - file: what errors call it.
    /// - Throws: `ModelFileError` when it is damaged, holds other objects than tensors, or would take far more memory than its
    ///   own size.
    public init(parsing bytes: [UInt8], file: String) throws(ModelFileError) {
        do throws(PickleProblem) {
            let (pickle, storages): (Pickle, [TorchStorage: ArraySlice<UInt8>])
            if bytes.starts(with: [0x50, 0x4B]) {
                (pickle, storages) = try Self.readArchive(bytes, file: file)
            } else {
                (pickle, storages) = try Self.readPickles(bytes)
            }
            let contents = try PickleContents(pickle)
            tensors = try Self.tensors(contents, storages, byteLimit: bytes.count)
            values = contents.values
        } catch {
            throw ModelFileError(file: file, problem: error.description)
        }
    }

    /// Reads a file.
    ///
    /// - Throws: `FileError` when it cannot be read, else as `init(parsing:file:)`.
    public init(contentsOf path: some PathConvertible) throws {
        try self.init(parsing: AtomicFile.read(path), file: path.filePath)
    }

    /// How many times the size of the file its tensors may have together: those that show one storage count each.
    private static let byteFactor = 4

    private static func tensors(
        _ contents: PickleContents, _ storages: [TorchStorage: ArraySlice<UInt8>], byteLimit: Int
    ) throws(PickleProblem) -> [StoredTensor] {
        var tensors: [StoredTensor] = []
        var total = 0
        for (name, tensor) in contents.tensors {
            guard let byteCount = tensor.byteCount, let storage = storages[tensor.storage] else {
                throw PickleProblem(
                    "tensor \(quoted(name)) of shape \(tensor.shape) and strides \(tensor.strides) does not fit into the "
                        + "\(tensor.storage.elementCount) numbers that it shows; \(PickleProblem.fetchAgain)")
            }
            total += byteCount
            guard total <= byteFactor * byteLimit,
                let stored = StoredTensor(
                    name: name, shape: Shape(tensor.shape), type: tensor.storage.type,
                    bytes: tensor.bytes(in: storage, byteCount: byteCount))
            else {
                throw PickleProblem(
                    "its tensors share storages and together have far more bytes than the file; save copies of them "
                        + "(tensor.clone())")
            }
            tensors.append(stored)
        }
        return tensors
    }
}
