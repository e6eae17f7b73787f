import FoveaFiles

/// The two containers of `torch.save`.
extension PyTorchFile {
    typealias Storages = [TorchStorage: ArraySlice<UInt8>]

    /// A ZIP archive with one folder: `data.pkl` says what there is, `data/…` are the storages.
    static func readArchive(_ bytes: [UInt8], file: String) throws(PickleProblem) -> (Pickle, Storages) {
        do throws(ModelFileError) {
            return try readArchive(try ZIPArchive(parsing: bytes, file: file))
        } catch {
            throw PickleProblem(error.problem)
        }
    }

    private static func readArchive(_ archive: ZIPArchive) throws(ModelFileError) -> (Pickle, Storages) {
        func failure(_ problem: String) -> ModelFileError {
            ModelFileError(file: archive.file, problem: problem)
        }
        let objects = archive.names.filter {
            $0 == "data.pkl" || $0.hasSuffix("/data.pkl") && $0.count { $0 == "/" } == 1
        }
        guard let name = objects.first, objects.count == 1 else {
            throw failure(
                "the ZIP archive has no data.pkl, as files of torch.save have; check what kind of file it is")
        }
        let folder = name.dropLast("data.pkl".count)
        if archive.contains("\(folder)constants.pkl") {
            throw failure(
                "this is TorchScript, a program with its tensors; Fovea runs no code of a file's: in Python, write the tensors "
                    + "with torch.save(torch.jit.load(path).state_dict(), newPath)")
        }
        if archive.contains("\(folder)byteorder") {
            guard try archive.contents(of: "\(folder)byteorder").starts(with: Array("little".utf8)) else {
                throw failure(
                    "its numbers have their highest byte first; save the file again on another machine")
            }
        }
        var object = try archive.contents(of: name)[...]
        let pickle: Pickle
        do throws(PickleProblem) { pickle = try PickleMachine.read(&object) } catch {
            throw failure(error.description)
        }
        var storages: Storages = [:]
        var types: [String: StoredType] = [:]
        for storage in pickle.tensors.map(\.storage) where storages[storage] == nil {
            guard types.updateValue(storage.type, forKey: storage.key) == nil else {
                throw failure("storage \(quoted(storage.key)) is of two types; \(PickleProblem.fetchAgain)")
            }
            let contents = try archive.contents(of: "\(folder)data/\(storage.key)")
            guard storage.fits(contents.count) else {
                throw failure(storage.wrongSize(contents.count).description)
            }
            storages[storage] = contents[...]
        }
        return (pickle, storages)
    }

    /// Pickles one after the other: a number by which they are known, a version, properties of the machine, the object, a list
    /// of keys; then for each key the number of elements, and these.
    static func readPickles(_ bytes: [UInt8]) throws(PickleProblem) -> (Pickle, Storages) {
        var rest = bytes[...]
        guard case .large(magic) = try PickleMachine.read(&rest).value else {
            throw PickleProblem(
                "this is pickled Python data, but no file of torch.save; \(PickleProblem.saveStateDictionary)"
            )
        }
        guard case .integer(1001) = try PickleMachine.read(&rest).value else {
            throw PickleProblem(
                "it has another version than 1001, the only one that PyTorch wrote; \(PickleProblem.fetchAgain)"
            )
        }
        guard isLittleEndian(try PickleMachine.read(&rest)) else {
            throw PickleProblem(
                "its numbers have their highest byte first; save the file again on another machine")
        }
        let pickle = try PickleMachine.read(&rest)
        let keys = try PickleMachine.read(&rest)
        guard case .node(let list) = keys.value, keys.nodes[list].kind == .list else { throw .damaged }

        // The data do not say how wide an element is; the tensors do.
        let known = Dictionary(
            pickle.tensors.map { ($0.storage.key, $0.storage) }, uniquingKeysWith: { first, _ in first })
        var storages: Storages = [:]
        for item in keys.nodes[list].items {
            guard case .text(let key) = item else { throw .damaged }
            guard let storage = known[key] else {
                throw PickleProblem(
                    "no tensor tells the type of storage \(quoted(key)); \(PickleProblem.fetchAgain)")
            }
            var reader = PickleReader(rest)
            let count = try reader.count(byteCount: 8)
            guard count == storage.elementCount, count <= rest.count else { throw storage.wrongCount(count) }
            storages[storage] = try reader.bytes(count * storage.type.byteCount)
            rest = reader.rest
        }
        return (pickle, storages)
    }

    /// 0x1950a86a20f9469cfc6c.
    static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    private static func isLittleEndian(_ pickle: Pickle) -> Bool {
        guard case .node(let place) = pickle.value, pickle.nodes[place].kind == .dictionary else {
            return false
        }
        let items = pickle.nodes[place].items
        return stride(from: 0, to: items.count - 1, by: 2).contains { index in
            if case .text("little_endian") = items[index], case .bool(true) = items[index + 1] { return true }
            return false
        }
    }
}

extension TorchStorage {
    fileprivate func fits(_ byteCount: Int) -> Bool {
        byteCount % type.byteCount == 0 && byteCount / type.byteCount == elementCount
    }

    fileprivate func wrongSize(_ byteCount: Int) -> PickleProblem {
        PickleProblem(
            "storage \(quoted(key)) should have \(elementCount) elements of type \(type.rawValue), but has \(byteCount) bytes; "
                + PickleProblem.fetchAgain)
    }

    fileprivate func wrongCount(_ count: Int) -> PickleProblem {
        PickleProblem(
            "storage \(quoted(key)) should have \(elementCount) elements, but has \(count); \(PickleProblem.fetchAgain)"
        )
    }
}
