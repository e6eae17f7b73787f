import Foundation
import TestSupport
import Testing

@testable import FoveaFiles

@Suite struct AtomicFileTests {
    private func contents(of folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    private func expectFailure(
        _ operation: FileError.Operation, _ code: Int32, writingTo path: String
    ) throws {
        let error = #expect(throws: FileError.self) { try AtomicFile.write([1, 2, 3], to: path) }
        #expect(error == FileError(path: path, operation: operation, code: code))
        let description = try #require(error?.description)
        // A zero byte in the path is spelt out.
        #expect(description.hasPrefix("\(visible(path)): could not "))
        #expect(description.contains(String(cString: strerror(code)) + "; "))
    }

    @Test(arguments: [0, 1, 100_003]) func contentComesBack(count: Int) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/ü \"x\".bin"
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try AtomicFile.write([9, 9, 9], to: path)
            try AtomicFile.write(bytes, to: path)
            #expect(try AtomicFile.read(path) == bytes)
            #expect(try contents(of: folder) == ["ü \"x\".bin"])
        }
    }

    @Test func permissionsOfAReplacedFileAreKept() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/private"
            try AtomicFile.write([1], to: path)
            #expect(chmod(path, 0o640) == 0)
            try AtomicFile.write([2], to: path)
            #expect(
                try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o640)
        }
    }

    @Test func aLinkIsReplacedAndItsTargetKept() throws {
        try withTemporaryFolder { folder in
            try AtomicFile.write([1], to: folder + "/target")
            #expect(symlink("target", folder + "/link") == 0)
            try AtomicFile.write([2], to: folder + "/link")
            #expect(try AtomicFile.read(folder + "/target") == [1])
            #expect(try AtomicFile.read(folder + "/link") == [2])
        }
    }

    @Test func theLongestNameWorks() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/" + String(repeating: "n", count: 255)
            try AtomicFile.write([1], to: path)
            #expect(try AtomicFile.read(path) == [1])
            try expectFailure(.inspect, ENAMETOOLONG, writingTo: path + "n")
        }
    }

    /// A slash with a mark on it is one Character, which a search by characters would miss.
    @Test func aSlashBeforeAMarkIsASlash() throws {
        try withTemporaryFolder { folder in
            try AtomicFile.write([1], to: folder + "/\u{301}x")
            #expect(try contents(of: folder).map { Array($0.utf8) } == [Array("\u{301}x".utf8)])
        }
    }

    @Test func pathsThatCannotBeWritten() throws {
        try withTemporaryFolder { folder in
            let file = folder + "/file"
            try AtomicFile.write([7], to: file)
            try expectFailure(.create, ENOENT, writingTo: folder + "/missing/x")
            try expectFailure(.inspect, ENOTDIR, writingTo: file + "/x")
            try expectFailure(.create, EISDIR, writingTo: folder)
            try expectFailure(.create, EISDIR, writingTo: folder + "/")
            try expectFailure(.create, ENOENT, writingTo: folder + "/new/")
            try expectFailure(.create, ENOENT, writingTo: "/proc/fovea")
            try expectFailure(.create, ENOTSUP, writingTo: "/dev/null")
            try expectFailure(.create, EINVAL, writingTo: folder + "/file\u{0}x")
            #expect(symlink("loop", folder + "/loop") == 0)
            try expectFailure(.inspect, ELOOP, writingTo: folder + "/loop")
            #expect(try contents(of: folder) == ["file", "loop"])
            #expect(try AtomicFile.read(file) == [7])
        }
    }

    /// The disk fills up at once, or in the middle of the file.
    @Test(arguments: [0, 5], [ENOSPC, EIO, EDQUOT]) func aFailedWriteLeavesTheOldFile(room: Int, code: Int32)
        throws
    {
        try withTemporaryFolder { folder in
            let path = folder + "/file"
            let new = folder + "/new"
            try AtomicFile.write([7, 8], to: path)
            for path in [path, new] {
                var left = room
                let error = #expect(throws: FileError.self) {
                    try AtomicFile.write([UInt8](repeating: 1, count: 9), to: path) { descriptor, bytes in
                        guard left > 0 else {
                            errno = code
                            return -1
                        }
                        let written = write(descriptor, bytes.baseAddress, min(left, bytes.count))
                        left -= written
                        return written
                    }
                }
                #expect(error == FileError(path: path, operation: .write, code: code))
                #expect(error?.hint != nil)
            }
            #expect(try contents(of: folder) == ["file"])
            #expect(try AtomicFile.read(path) == [7, 8])
        }
    }

    @Test func aFullDeviceIsSeen() throws {
        try withTemporaryFolder { folder in
            let full = open("/dev/full", O_WRONLY)
            try #require(full >= 0)
            defer { close(full) }
            let path = folder + "/file"
            let error = #expect(throws: FileError.self) {
                try AtomicFile.write([1], to: path) { write(full, $1.baseAddress, $1.count) }
            }
            #expect(error == FileError(path: path, operation: .write, code: ENOSPC))
            #expect(try contents(of: folder).isEmpty)
        }
    }

    @Test func writabilityIsKnownBeforehand() throws {
        try withTemporaryFolder { folder in
            try AtomicFile.checkWritable(folder + "/new")
            try AtomicFile.write([7], to: folder + "/old")
            try AtomicFile.checkWritable(folder + "/old")
            #expect(try AtomicFile.read(folder + "/old") == [7])
            let left = try contents(of: folder)
            #expect(left == ["old"])
            for (path, code) in [
                (folder, EISDIR), (folder + "/old/x", ENOTDIR), (folder + "/missing/x", ENOENT),
                ("/proc/x", ENOENT), ("/dev/null", ENOTSUP),
            ] {
                let error = #expect(throws: FileError.self, "\(path)") { try AtomicFile.checkWritable(path) }
                #expect(error?.path == path && error?.code == code, "\(error as Any)")
                #expect(throws: error ?? FileError(path: "", operation: .open, code: 0)) {
                    try AtomicFile.write([1], to: path)
                }
            }
        }
    }

    /// What a killed process left goes; what belongs to another file or to a living process stays.
    @Test(arguments: [true, false]) func whatAKilledProcessLeftIsRemoved(bySaving: Bool) throws {
        try withTemporaryFolder { folder in
            func temporary(for name: String) throws -> TemporaryFile {
                let file = try TemporaryFile(for: "\(folder)/\(name)", permissions: 0o400)
                #expect(write(file.descriptor, "half", 4) == 4 && close(file.descriptor) == 0)
                return file
            }
            /// The lock of a process goes with it.
            func kill(_ file: TemporaryFile) { close(file.lock) }

            let killed = try (0..<3).map { _ in try temporary(for: "model") }
            let living = try temporary(for: "model")
            let other = try temporary(for: "other")
            (killed + [other]).forEach(kill)
            #expect(symlink("nowhere", killed[0].name + "-link.tmp") == 0)
            #expect(FileManager.default.createFile(atPath: folder + "/.fovea-abc.tmp", contents: nil))
            #expect(try contents(of: folder).count == 7)

            // However the path is written.
            let path = "\(folder)/.//model"
            if bySaving { try AtomicFile.write([1], to: path) } else { try AtomicFile.checkWritable(path) }
            let left = [living, other].map { String($0.name.dropFirst(folder.count + 1)) }
            let link = String(killed[0].name.dropFirst(folder.count + 1)) + "-link.tmp"
            let all = left + [".fovea-abc.tmp", link] + (bySaving ? ["model"] : [])
            #expect(try contents(of: folder) == all.sorted())
            kill(living)
            try AtomicFile.checkWritable(path)
            #expect(try !contents(of: folder).contains(left[0]))
        }
    }

    /// As far as it is known without writing.
    @Test func roomIsKnownBeforehand() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/model"
            try AtomicFile.checkWritable(path, byteCount: 1 << 10)
            let error = #expect(throws: FileError.self) {
                try AtomicFile.checkWritable(path, byteCount: 1 << 60)
            }
            #expect(error == FileError(path: path, operation: .write, code: ENOSPC))
            #expect(try contents(of: folder).isEmpty)
        }
    }

    @Test func aFailedRenameLeavesNothing() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/name"
            let error = #expect(throws: FileError.self) {
                try AtomicFile.write([1], to: path) { descriptor, bytes in
                    // Somebody else takes the name meanwhile.
                    mkdir(path, 0o700)
                    return write(descriptor, bytes.baseAddress, bytes.count)
                }
            }
            #expect(error == FileError(path: path, operation: .rename, code: EISDIR))
            let left = try contents(of: folder)
            #expect(left == ["name"])
        }
    }

    @Test func shortAndInterruptedWritesGoOn() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/file"
            let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
            var calls = 0
            try AtomicFile.write(bytes, to: path) { descriptor, rest in
                calls += 1
                if calls % 3 == 0 {
                    errno = EINTR
                    return -1
                }
                return write(descriptor, rest.baseAddress, min(7, rest.count))
            }
            #expect(try AtomicFile.read(path) == bytes)
            #expect(calls > 140)
        }
    }

    @Test func aWriteThatGetsNowhereEnds() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/file"
            #expect(throws: FileError(path: path, operation: .write, code: EIO)) {
                try AtomicFile.write([1], to: path) { _, _ in 0 }
            }
            let left = try contents(of: folder)
            #expect(left.isEmpty)
        }
    }

    /// A reader sees one of the versions, never a mixture or nothing.
    @Test func readersAndWritersAtOnce() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "fovea-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/file"
        try AtomicFile.write([UInt8](repeating: 0, count: 1000), to: path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 1...3 {
                group.addTask {
                    for _ in 0..<10 {
                        let bytes = [UInt8](repeating: UInt8(writer), count: writer * 1000)
                        try AtomicFile.write(bytes, to: path)
                    }
                }
            }
            group.addTask {
                for _ in 0..<200 {
                    let bytes = try AtomicFile.read(path)
                    #expect(bytes.count == max(1, Int(bytes[0])) * 1000 && Set(bytes).count == 1)
                }
            }
            try await group.waitForAll()
        }
        #expect(try contents(of: folder) == ["file"])
    }

    @Test func whatIsNoFileIsNotRead() throws {
        try withTemporaryFolder { folder in
            #expect(mkfifo(folder + "/pipe", 0o600) == 0)
            try AtomicFile.write([1], to: folder + "/file")
            #expect(truncate(folder + "/file", 1 << 42) == 0)
            for (path, operation, code) in [
                (folder, FileError.Operation.read, EISDIR), ("/dev/zero", .read, ENOTSUP),
                (folder + "/pipe", .read, ENOTSUP), (folder + "/missing", .open, ENOENT),
                (folder + "/file", .read, EFBIG), (folder + "/file\u{0}", .open, EINVAL),
            ] {
                let error = #expect(throws: FileError.self) { try AtomicFile.read(path) }
                #expect(error == FileError(path: path, operation: operation, code: code))
                #expect(error?.hint != nil)
            }
        }
    }
}
