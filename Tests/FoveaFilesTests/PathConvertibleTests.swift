import Foundation
import FoveaFiles
import TestSupport
import Testing

@Suite struct PathConvertibleTests {
    @Test func textsAndURLs() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a file 100% é.bin"
            let url = URL(fileURLWithPath: path)
            try AtomicFile.checkWritable(url)
            try AtomicFile.write([1, 2], to: url)
            #expect(try AtomicFile.read(path) == [1, 2])
            try AtomicFile.write([3], to: path)
            #expect(try AtomicFile.read(url) == [3])
            #expect(url.filePath == path && path.filePath == path)
            #expect(
                try AtomicFile.read(
                    URL(fileURLWithPath: "a file 100% é.bin", relativeTo: URL(fileURLWithPath: folder + "/")))
                    == [3])
        }
    }

    /// Not the file of the same path.
    @Test func addressesAreNoFiles() throws {
        let url = try #require(URL(string: "https://example.com/etc/hostname"))
        let error = #expect(throws: FileError.self) { try AtomicFile.read(url) }
        #expect(error?.path == "https://example.com/etc/hostname" && error?.code == ENOENT)
    }
}
