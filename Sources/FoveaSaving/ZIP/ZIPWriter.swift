import CZip
import FoveaFiles

/// Makes a ZIP archive of stored members. Equal members give equal bytes, whenever and wherever they are written.
struct ZIPWriter {
    private var members: [(name: String, contents: [UInt8])] = []

    /// Puts a member behind those that are there.
    ///
    /// - Parameter name: a relative path; each may be there once.
    mutating func add(_ name: String, _ contents: [UInt8]) { members.append((name, contents)) }

    /// The bytes of the archive.
    ///
    /// - Parameter file: what errors call it.
    /// - Throws: `ModelFileError` when a name is there twice or there is not enough memory.
    func finished(file: String) throws(ModelFileError) -> [UInt8] {
        var error = zip_error_t()
        zip_error_init(&error)
        defer { zip_error_fini(&error) }
        func failure(_ reason: String) -> ModelFileError {
            ModelFileError(file: file, problem: "the ZIP archive cannot be written: \(reason)")
        }
        guard let target = zip_source_buffer_create(nil, 0, 0, &error) else {
            throw failure(String(cString: zip_error_strerror(&error)))
        }
        // The archive takes its target with it when it is closed; this keeps it until it has been read.
        zip_source_keep(target)
        defer { zip_source_free(target) }
        guard let archive = zip_open_from_source(target, ZIP_TRUNCATE, &error) else {
            zip_source_free(target)
            throw failure(String(cString: zip_error_strerror(&error)))
        }
        for (name, contents) in members {
            guard Self.add(name, contents, to: archive) else {
                let reason = String(cString: zip_strerror(archive))
                zip_discard(archive)
                throw failure("\(quoted(name)): \(reason)")
            }
        }
        // Without a member, libzip makes no archive at all.
        guard !members.isEmpty, zip_close(archive) == 0 else {
            let reason = members.isEmpty ? "it has no members" : String(cString: zip_strerror(archive))
            zip_discard(archive)
            throw failure(reason)
        }
        guard let bytes = Self.bytes(of: target) else {
            throw failure(String(cString: zip_error_strerror(zip_source_error(target))))
        }
        return bytes
    }

    private static func add(_ name: String, _ contents: [UInt8], to archive: OpaquePointer) -> Bool {
        guard let source = ZIPMemory.source(contents) else { return false }
        let index = zip_file_add(archive, name, source, zip_flags_t(ZIP_FL_ENC_UTF_8))
        guard index >= 0 else {
            zip_source_free(source)
            return false
        }
        // The first moment that the format can tell, 1 January 1980.
        return zip_set_file_compression(archive, UInt64(index), ZIP_CM_STORE, 0) == 0
            && zip_file_set_dostime(archive, UInt64(index), 0, 1 << 5 | 1, 0) == 0
    }

    private static func bytes(of source: OpaquePointer) -> [UInt8]? {
        var status = zip_stat_t()
        zip_stat_init(&status)
        guard zip_source_stat(source, &status) == 0, let byteCount = Int(exactly: status.size),
            zip_source_open(source) == 0
        else { return nil }
        defer { zip_source_close(source) }
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { memory, count in
            while count < memory.count, let start = memory.baseAddress {
                let got = zip_source_read(source, start + count, UInt64(memory.count - count))
                guard got > 0 else { return }
                count += Int(got)
            }
        }
        return bytes.count == byteCount ? bytes : nil
    }
}
