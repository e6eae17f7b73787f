import FoveaFiles

/// A safetensors file as it is: with all the element types that other programs write.
struct StoredSafetensors {
    /// In the order of the header.
    let tensors: [StoredTensor]
    /// Without the checksum, which has been compared.
    let metadata: [String: String]

    init(_ bytes: [UInt8]) throws(SafetensorsError.Problem) {
        let format = FileFormat(content: bytes)
        if format != .safetensors, format != .unknown {
            throw .otherFormat(format.rawValue, advice: format.advice)
        }
        let prefix = SafetensorsHeader.prefixByteCount
        guard bytes.count >= prefix else { throw .tooShort(byteCount: bytes.count) }
        let headerByteCount = bytes[..<prefix].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let allowed = min(bytes.count - prefix, SafetensorsHeader.byteLimit)
        guard headerByteCount <= allowed else {
            throw .headerTooLong(length: headerByteCount, allowed: allowed)
        }
        let dataStart = prefix + Int(headerByteCount)
        let header = try SafetensorsHeader(
            parsing: bytes[prefix..<dataStart], dataByteCount: bytes.count - dataStart)

        var metadata = header.metadata
        if let expected = metadata.removeValue(forKey: Safetensors.checksumKey) {
            let actual = try Safetensors.checksum(bytes[dataStart...])
            guard actual == expected else { throw .checksumMismatch(expected: expected, actual: actual) }
        }
        self.metadata = metadata
        var tensors: [StoredTensor] = []
        for entry in header.entries {
            let place = dataStart + entry.bytes.lowerBound..<dataStart + entry.bytes.upperBound
            guard
                let tensor = StoredTensor(
                    name: entry.name, shape: entry.shape, type: entry.type, bytes: bytes[place])
            else { throw .invalidShape(tensor: entry.name, shape: entry.shape.dimensions.map(String.init)) }
            tensors.append(tensor)
        }
        self.tensors = tensors
    }

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - file: what errors call it.
    /// - Throws: as `Safetensors.init(parsing:file:)`, but for element types that Fovea does not compute with.
    init(parsing bytes: [UInt8], file: String) throws(SafetensorsError) {
        do throws(SafetensorsError.Problem) {
            try self.init(bytes)
        } catch {
            throw SafetensorsError(file: file, problem: error)
        }
    }
}
