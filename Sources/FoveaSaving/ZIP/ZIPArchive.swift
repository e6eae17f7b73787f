import CZip
import FoveaFiles
import Glibc

/// What is in a ZIP archive, as Keras's `.keras` and PyTorch's `.pt` files are: members that are stored or deflated, read by
/// libzip. Nothing is ever written to a disk. Nothing in it is trusted: names that could lead out of a folder, members of one
/// name, encryption, and members that unpack to far more than the file has are refused.
struct ZIPArchive {
    /// The names of the members, in the order of the archive; folders are none.
    let names: [String]

    private struct Member {
        let index: UInt64
        let byteCount: Int
        /// PyTorch can be told to compute no checksums; it then writes 0.
        let isUnchecked: Bool
    }

    private let members: [String: Member]
    private let handle: ZIPHandle
    let file: String

    /// Files of models have a member per tensor; what libzip does can grow with the square of their number.
    static let memberLimit = 20_000
    /// How many times its own size a deflated member may have, and how many bytes it may have in any case.
    static let inflation = (factor: 100, free: 1 << 16)
    /// The same for all that unpacks to more than it takes.
    static let totalInflation = (factor: 4, free: 1 << 26)

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - file: what errors call it.
    init(parsing bytes: [UInt8], file: String) throws(ModelFileError) {
        func failure(_ problem: String) -> ModelFileError { ModelFileError(file: file, problem: problem) }
        // libzip takes no bytes at all for an archive without members.
        guard !bytes.isEmpty else { throw failure("the file is empty; \(fetchAgain)") }
        guard Self.directoryMarks(in: bytes) <= Self.memberLimit else {
            throw failure(
                "the ZIP archive has more than \(Self.memberLimit) members, more than any model needs")
        }
        handle = try ZIPHandle(bytes, file: file)
        self.file = file

        var names: [String] = []
        var members: [String: Member] = [:]
        var (storedTotal, inflatedTotal) = (0, 0)
        for index in 0..<UInt64(clamping: zip_get_num_entries(handle.archive, 0)) {
            var status = zip_stat_t()
            zip_stat_init(&status)
            guard zip_stat_index(handle.archive, index, zip_flags_t(ZIP_FL_ENC_RAW), &status) == 0,
                let name = status.name.flatMap({ String(validatingCString: $0) }),
                let byteCount = Int(exactly: status.size), let packedCount = Int(exactly: status.comp_size)
            else {
                throw failure("entry \(index) of the ZIP archive cannot be read; \(fetchAgain)")
            }
            // What is allowed depends on it.
            guard packedCount <= bytes.count else {
                throw failure("the sizes of member \(quoted(name)) do not agree; \(fetchAgain)")
            }
            guard Self.isSafe(name) else {
                throw failure(
                    "the ZIP archive has a member \(quoted(name)); names must be relative paths without '..', "
                        + "so no program for models wrote it")
            }
            guard status.encryption_method == ZIP_EM_NONE else {
                throw failure(
                    "member \(quoted(name)) is encrypted; unpack the archive and pack it without a password")
            }
            if name.hasSuffix("/") { continue }
            switch Int32(status.comp_method) {
            case ZIP_CM_STORE:
                guard byteCount == packedCount else {
                    throw failure("the sizes of member \(quoted(name)) do not agree; \(fetchAgain)")
                }
                // Members that lie over each other would be read again and again.
                storedTotal = storedTotal.addingClamped(byteCount)
            case ZIP_CM_DEFLATE:
                inflatedTotal = inflatedTotal.addingClamped(byteCount)
                guard Self.allows(byteCount, for: packedCount, Self.inflation) else {
                    throw failure(
                        "member \(quoted(name)) would unpack from \(packedCount) to \(byteCount) bytes, which no model's "
                            + "does")
                }
            case let method:
                throw failure(
                    "member \(quoted(name)) is packed by method \(method); Fovea reads stored and deflated ones: "
                        + "pack the archive again without compression")
            }
            guard storedTotal <= bytes.count,
                Self.allows(inflatedTotal, for: bytes.count, Self.totalInflation)
            else {
                throw failure(
                    "the members of the ZIP archive would take far more than its \(bytes.count) bytes")
            }
            let member = Member(
                index: index, byteCount: byteCount,
                isUnchecked: Int32(status.comp_method) == ZIP_CM_STORE && status.crc == 0)
            guard members.updateValue(member, forKey: name) == nil else {
                throw failure("the ZIP archive has two members \(quoted(name)); \(fetchAgain)")
            }
            names.append(name)
        }
        self.names = names
        self.members = members
    }

    /// The bytes of a member, unpacked, whose checksum is verified.
    ///
    /// - Throws: `ModelFileError` when there is none of that name or it is damaged.
    func contents(of name: String) throws(ModelFileError) -> [UInt8] {
        func failure(_ problem: String) -> ModelFileError { ModelFileError(file: file, problem: problem) }
        guard let member = members[name] else {
            throw failure(
                "the ZIP archive has no member \(quoted(name)); the file is damaged or of another kind")
        }
        guard let stream = zip_fopen_index(handle.archive, member.index, 0) else {
            throw failure("member \(quoted(name)) cannot be read (\(handle.errorText)); \(fetchAgain)")
        }
        defer { zip_fclose(stream) }
        let bytes = [UInt8](unsafeUninitializedCapacity: member.byteCount) { memory, count in
            while count < memory.count, let start = memory.baseAddress {
                let got = zip_fread(stream, start + count, UInt64(memory.count - count))
                guard got > 0 else { return }
                count += Int(got)
            }
        }
        // The checksum is compared where the end is found.
        var beyond: UInt8 = 0
        guard bytes.count == member.byteCount, zip_fread(stream, &beyond, 1) == 0 || member.isUnchecked
        else {
            throw failure("member \(quoted(name)) is damaged; \(fetchAgain)")
        }
        return bytes
    }

    func contains(_ name: String) -> Bool { members[name] != nil }

    private static func isSafe(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return !name.isEmpty && !name.hasPrefix("/") && !name.contains("\\") && !parts.contains("..")
    }

    private static func allows(_ byteCount: Int, for packedCount: Int, _ limit: (factor: Int, free: Int))
        -> Bool
    {
        let (product, overflow) = packedCount.multipliedReportingOverflow(by: limit.factor)
        return overflow || byteCount <= product.addingClamped(limit.free)
    }

    /// How many entries a directory in these bytes can have: each begins with this mark.
    private static func directoryMarks(in bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { memory in
            var (count, place) = (0, 0)
            while count <= memberLimit, place + 4 <= memory.count, let start = memory.baseAddress,
                let found = memchr(start + place, Int32(UInt8(ascii: "P")), memory.count - place - 3)
            {
                place = UnsafeRawPointer(found) - start + 1
                if memory[place] == UInt8(ascii: "K"), memory[place + 1] == 1, memory[place + 2] == 2 {
                    count += 1
                }
            }
            return count
        }
    }
}

/// Owns an archive that libzip has open.
private final class ZIPHandle {
    let archive: OpaquePointer

    init(_ bytes: [UInt8], file: String) throws(ModelFileError) {
        guard let source = ZIPMemory.source(bytes) else {
            throw ModelFileError(file: file, problem: "there is not enough memory to open the ZIP archive")
        }
        var error = zip_error_t()
        zip_error_init(&error)
        defer { zip_error_fini(&error) }
        guard let archive = zip_open_from_source(source, ZIP_RDONLY, &error) else {
            zip_source_free(source)
            throw ModelFileError(
                file: file,
                problem:
                    "this is no whole ZIP archive (\(String(cString: zip_error_strerror(&error)))); \(fetchAgain)"
            )
        }
        self.archive = archive
    }

    deinit { zip_discard(archive) }

    var errorText: String { String(cString: zip_strerror(archive)) }
}

private let fetchAgain = "download or save the file again"

extension Int {
    fileprivate func addingClamped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
