import FoveaFiles
import FoveaGraph

/// Writes a state dictionary as `torch.save` does since PyTorch 1.6: a ZIP archive with a pickle of protocol 2 and the tensors' bytes.
struct TorchWriter {
    private var pickle: [UInt8] = []
    private var archive = ZIPWriter()
    /// PyTorch's name for the archive when it is not written to a file of that name.
    private static let folder = "archive/"

    /// - Parameters:
    ///   - tensors: in order, with names of their own.
    ///   - file: what errors call it.
    /// - Throws: `ModelFileError` for an element type that PyTorch has no storage of.
    static func bytes(of tensors: [StoredTensor], file: String) throws(ModelFileError) -> [UInt8] {
        var writer = TorchWriter()
        var storages: [[UInt8]] = []
        writer.add(.proto, [2])
        writer.addDictionary()
        writer.add(.mark)
        for (index, tensor) in tensors.enumerated() {
            guard let storage = PickleGlobal.storageName(of: tensor.type) else {
                throw ModelFileError(
                    file: file,
                    problem:
                        "tensor \(quoted(tensor.name)) holds \(tensor.type.rawValue), of which PyTorch has no storage; "
                        + "convert it first")
            }
            writer.add(tensor, storage: storage, key: "\(index)")
            storages.append(Array(tensor.bytes))
        }
        writer.add(.setItems)
        writer.add(.stop)
        writer.archive.add(folder + "data.pkl", writer.pickle)
        writer.archive.add(folder + "byteorder", Array("little".utf8))
        for (index, bytes) in storages.enumerated() { writer.archive.add("\(folder)data/\(index)", bytes) }
        writer.archive.add(folder + "version", Array("3\n".utf8))
        return try writer.archive.finished(file: file)
    }

    private mutating func add(_ instruction: PickleInstruction, _ operand: [UInt8] = []) {
        pickle.append(instruction.rawValue)
        pickle += operand
    }

    private mutating func addGlobal(_ module: String, _ name: String) {
        add(.global, Array("\(module)\n\(name)\n".utf8))
    }

    private mutating func addText(_ text: String) {
        add(.binUnicode, little(UInt32(text.utf8.count)) + Array(text.utf8))
    }

    /// A whole number from 0 up.
    private mutating func addNumber(_ number: Int) {
        if let small = Int32(exactly: number) {
            add(.binInt, little(small))
        } else {
            add(.long1, [8] + little(Int64(number)))
        }
    }

    private mutating func addNumbers(_ numbers: [Int]) {
        add(.mark)
        for number in numbers { addNumber(number) }
        add(.tuple)
    }

    private mutating func addDictionary() {
        addGlobal("collections", "OrderedDict")
        add(.emptyTuple)
        add(.reduce)
    }

    /// The name and `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`.
    private mutating func add(_ tensor: StoredTensor, storage: String, key: String) {
        addText(tensor.name)
        addGlobal("torch._utils", "_rebuild_tensor_v2")
        add(.mark)
        add(.mark)
        addText("storage")
        addGlobal("torch", storage)
        addText(key)
        addText("cpu")
        addNumber(tensor.bytes.count / tensor.type.byteCount)
        add(.tuple)
        add(.binPersistentID)
        addNumber(0)
        addNumbers(tensor.shape.dimensions)
        addNumbers(tensor.shape.rowMajorStrides)
        add(.newFalse)
        addDictionary()
        add(.tuple)
        add(.reduce)
    }
}

private func little(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
}
