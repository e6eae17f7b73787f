import Foundation
import Testing

@testable import FoveaSaving

@Suite struct ZIPArchiveTests {
    static func fixture(_ name: String) throws -> [UInt8] {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil))
        return [UInt8](try Data(contentsOf: url))
    }

    private func problem(_ bytes: [UInt8]) -> String {
        let error = #expect(throws: ModelFileError.self) { try ZIPArchive(parsing: bytes, file: "a.zip") }
        #expect(error?.file == "a.zip")
        return error?.problem ?? ""
    }

    @Test func pythonsArchives() throws {
        for name in ["zip/stored.zip", "zip/deflated.zip", "zip/zip64.zip"] {
            let archive = try ZIPArchive(parsing: Self.fixture(name), file: name)
            #expect(archive.names == ["metadata.json", "weights/größe.bin", "weights/none"])
            #expect(try archive.contents(of: "metadata.json") == Array(#"{"a": 1}"#.utf8))
            #expect(
                try archive.contents(of: "weights/größe.bin") == (0..<5000).map { UInt8($0 / 7 % 256) })
            #expect(try archive.contents(of: "weights/none") == [])
            let error = #expect(throws: ModelFileError.self) { try archive.contents(of: "weights/") }
            #expect(error?.problem.contains("has no member \"weights/\"") == true)
        }
    }

    @Test func writtenAndRead() throws {
        var writer = ZIPWriter()
        let large = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
        writer.add("config.json", Array("{}".utf8))
        writer.add("große/daten.bin", large)
        writer.add("none", [])
        let bytes = try writer.finished(file: "b.zip")
        #expect(try bytes == writer.finished(file: "b.zip"))
        #expect(bytes.count < large.count + 600)
        let archive = try ZIPArchive(parsing: bytes, file: "b.zip")
        #expect(archive.names == ["config.json", "große/daten.bin", "none"])
        #expect(try archive.contents(of: "große/daten.bin") == large)
        #expect(try archive.contents(of: "none") == [])
        // The clock and the time zone leave no trace: this is 1 January 1980.
        #expect(Array(bytes[10..<14]) == [0, 0, 33, 0])
    }

    @Test func whatCannotBeWritten() {
        var writer = ZIPWriter()
        #expect(throws: ModelFileError.self) { try writer.finished(file: "c.zip") }
        writer.add("twice", [1])
        writer.add("twice", [2])
        let error = #expect(throws: ModelFileError.self) { try writer.finished(file: "c.zip") }
        #expect(error?.problem.contains("\"twice\"") == true)
    }

    @Test func handmadeIsRead() throws {
        let archive = try ZIPArchive(
            parsing: HandmadeZIP([.init("folder/", []), .init("a/b..c"), .init("d")]).bytes, file: "h")
        #expect(archive.names == ["a/b..c", "d"])
        #expect(try archive.contents(of: "d") == [1, 2, 3])
    }

    // MARK: - Hostile archives

    @Test(arguments: ["/etc/passwd", "../up", "a/../../b", "a\\b", "..", "a/.."]) func paths(name: String) {
        #expect(problem(HandmadeZIP([.init(name)]).bytes).contains("relative paths"))
    }

    @Test func names() {
        #expect(problem(HandmadeZIP([.init("a"), .init("a")]).bytes).contains("two members \"a\""))
        // Equal only in Unicode's normal form.
        #expect(problem(HandmadeZIP([.init("é"), .init("e\u{301}")]).bytes).contains("two members"))
        var member = HandmadeZIP.Member("x")
        member.name = [0xFF, 0xFE]
        #expect(problem(HandmadeZIP([member]).bytes).contains("cannot be read"))
    }

    @Test func encryptionAndMethods() {
        var member = HandmadeZIP.Member("x")
        member.flags = 1
        #expect(problem(HandmadeZIP([member]).bytes).contains("encrypted"))
        member.flags = 0
        member.method = 12
        #expect(problem(HandmadeZIP([member]).bytes).contains("method 12"))
    }

    @Test func sizes() {
        var member = HandmadeZIP.Member("x")
        member.unpackedSize = 4_000_000_000
        #expect(problem(HandmadeZIP([member]).bytes).contains("do not agree"))
        member.method = 8
        #expect(problem(HandmadeZIP([member]).bytes).contains("would unpack from 3 to 4000000000 bytes"))
        // More than the file has.
        member.packedSize = 4_000_000_000
        member.unpackedSize = 1 << 26
        #expect(problem(HandmadeZIP([member]).bytes).contains("do not agree"))
        // Many entries for the same data.
        var zip = HandmadeZIP([.init("0", [UInt8](repeating: 7, count: 5_000))])
        for index in 1..<20 {
            var copy = HandmadeZIP.Member("\(index)", zip.members[0].contents)
            copy.sharesDataOf = 0
            zip.members.append(copy)
        }
        #expect(problem(zip.bytes).contains("far more than its"))
    }

    @Test func bombs() throws {
        #expect(
            problem(try Self.fixture("zip/bomb.zip")).contains("to 20000000 bytes, which no model's does"))
        // Each member is within its own limit.
        let members = (0..<1100).map { index in
            var member = HandmadeZIP.Member("\(index)")
            member.method = 8
            member.unpackedSize = 1 << 16
            return member
        }
        #expect(problem(HandmadeZIP(members).bytes).contains("far more than its"))
    }

    @Test func damagedContents() throws {
        var member = HandmadeZIP.Member("x")
        member.checksum = 1
        var deflated = HandmadeZIP.Member("y", [0xFF, 0xFF, 0xFF])
        deflated.method = 8
        let archive = try ZIPArchive(parsing: HandmadeZIP([member, deflated]).bytes, file: "d.zip")
        for name in ["x", "y"] {
            let error = #expect(throws: ModelFileError.self) { try archive.contents(of: name) }
            #expect(error?.description.hasPrefix("d.zip: member \"\(name)\" is damaged") == true)
        }
    }

    @Test func counts() throws {
        let many = HandmadeZIP((0..<20_001).map { .init("\($0)", []) }).bytes
        #expect(problem(many).contains("more than 20000 members"))
        var zip = HandmadeZIP([.init("a")])
        zip.entryCount = 65_535
        #expect(problem(zip.bytes).contains("no whole ZIP archive"))
        // The end of zip64 tells of 2⁴⁰ entries.
        let record =
            [0x50, 0x4B, 6, 6] + little(UInt64(44)) + little(UInt16(45)) + little(UInt16(45))
            + little(UInt64(0))
            + little(UInt64(1) << 40) + little(UInt64(1) << 40) + little(UInt64(46) << 40) + little(UInt64(0))
        let locator = [0x50, 0x4B, 6, 7] + little(UInt32(0)) + little(UInt64(0)) + little(UInt32(1))
        let end = [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 12) + [0, 0]
        #expect(problem(record + locator + end).contains("no whole ZIP archive"))
    }

    /// Names that libzip's table puts into one place.
    @Test func collidingNames() throws {
        let pairs: [[UInt8]] = [Array("Ez".utf8), Array("FY".utf8)]
        let members = (0..<20_000).map { number in
            var member = HandmadeZIP.Member("", [])
            member.name = (0..<15).flatMap { pairs[number >> $0 & 1] }
            return member
        }
        let bytes = HandmadeZIP(members).bytes
        let time = try ContinuousClock().measure { _ = try ZIPArchive(parsing: bytes, file: "e.zip") }
        #expect(time < .seconds(10))
    }

    @Test func cutShortAndDamaged() throws {
        let whole = try Self.fixture("zip/deflated.zip")
        for count in 0..<whole.count {
            #expect(throws: ModelFileError.self) {
                try ZIPArchive(parsing: Array(whole[..<count]), file: "s")
            }
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            guard let archive = try? ZIPArchive(parsing: bytes, file: "s") else { continue }
            for name in archive.names { _ = try? archive.contents(of: name) }
        }
    }
}
