import FoveaGraph

/// What Keras keeps models and weights in: a tree of groups and datasets with attributes
/// (<https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html>).
///
/// Of the format only the part is read that such files use, because nothing in them is trusted: superblocks 0, 2 and 3, groups
/// as symbol tables or as lists of links, contiguous and compact data of numbers, attributes of numbers and texts. What is
/// beyond, such as compressed data and links to other files, is refused by its name. Written is the oldest version, which
/// everything reads. Checksums, which only newer versions have, and for structures alone, are not looked at.
struct HDF5File: Sendable {
    var root: HDF5Group

    init(root: HDF5Group) { self.root = root }

    /// Reads a file's bytes, which the datasets go on to share.
    ///
    /// - Parameter file: what errors call the file.
    init(parsing bytes: [UInt8], file: String) throws(ModelFileError) {
        var reader = HDF5Reader(bytes)
        do {
            root = try reader.root()
        } catch {
            throw error.inFile(file, at: reader.path)
        }
    }

    /// The bytes of a file; the same for the same content, whenever they are asked for.
    ///
    /// - Parameter file: what errors call the file.
    /// - Throws: for names that HDF5 does not have, and attributes that are larger than it allows.
    func serialized(file: String = "HDF5 data") throws(ModelFileError) -> [UInt8] {
        var writer = HDF5Writer()
        do {
            try writer.write(root)
        } catch {
            throw ModelFileError(
                file: file, problem: "'\(writer.path.joined(separator: "/"))': \(error.text)")
        }
        return writer.output.bytes
    }

    static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
}

/// Why bytes are not read, or objects not written, as an HDF5 file.
struct HDF5Problem: Error {
    let text: String

    init(_ text: String) { self.text = text }

    /// - Parameter path: the names of the object that it is about, from the root.
    func inFile(_ file: String, at path: [String]) -> ModelFileError {
        ModelFileError(file: file, problem: (path.isEmpty ? "" : "'\(path.joined(separator: "/"))': ") + text)
    }
}
