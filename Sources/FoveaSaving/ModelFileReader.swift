/// The readers of files of models and weights, to be tried on bytes in memory: whatever these are, each ends soon, with memory for
/// no more than a small multiple of them.
public enum ModelFileReader: String, CaseIterable, Sendable {
    case safetensors
    case hdf5
    case zip

    /// Reads everything and forgets it.
    ///
    /// - Parameters:
    ///   - bytes: the contents of the file.
    ///   - name: what errors call the file.
    /// - Throws: when the bytes are not such a file.
    public func read(_ bytes: [UInt8], name: String) throws {
        switch self {
        case .safetensors:
            for tensor in try StoredSafetensors(parsing: bytes, file: name).tensors {
                _ = try tensor.value(file: name)
            }
        case .hdf5: try read(HDF5File(parsing: bytes, file: name).root, name: name)
        case .zip:
            let archive = try ZIPArchive(parsing: bytes, file: name)
            for member in archive.names { _ = try archive.contents(of: member) }
        }
    }

    private func read(_ group: HDF5Group, name: String) throws {
        for (_, member) in group.members {
            if let group = member.group { try read(group, name: name) }
            _ = try member.dataset?.tensor.value(file: name)
        }
    }
}
