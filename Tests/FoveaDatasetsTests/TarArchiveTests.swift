import Testing

@testable import FoveaDatasets

@Suite struct TarArchiveTests {
    private func kind(
        _ bytes: [UInt8], limits: TarArchive.Limits = TarArchive.Limits()
    ) -> DatasetError.Kind? {
        DatasetError.kind { () throws(DatasetError) in _ = try members(bytes, limits: limits) }
    }

    /// The kind of error for an archive of one member.
    private func kind(_ make: (inout TarFile) -> Void) -> DatasetError.Kind? {
        var tar = TarFile()
        make(&tar)
        return kind(tar.ended)
    }

    @Test(arguments: ["ustar", "gnu", "pax"]) func archivesOfPython(form: String) throws {
        let all = try members(GoldenFiles.bytes("\(form).tar.gz"))
        let long =
            "set/" + String(repeating: "x", count: 70) + "/" + String(repeating: "y", count: 61) + ".bin"
        #expect(all.map(\.name) == ["set/first.txt", long, "set/empty"])
        #expect(all[0].data == Array("one\n".utf8) && all[2].data.isEmpty)
        #expect(all[1].data == (0..<3).flatMap { _ in Array(UInt8(0)...255) })
    }

    @Test func allForms() throws {
        var tar = TarFile()
        tar.add("old", [1], kind: "\0", form: .old)
        tar.add("folder/", form: .old)
        tar.add("./a//b", [2, 3])
        tar.add("c", noise(512), prefix: "deep/er")
        tar.add("big", [4], size: [0x80] + [UInt8](repeating: 0, count: 10) + [1])
        tar.add("././@LongLink", Array("long/name\0".utf8), kind: "L", form: .gnu)
        tar.add("short", [5], form: .gnu)
        tar.addPAX([("comment", "nothing"), ("path", "päx")])
        tar.add("short", [6])
        tar.addPAX([("size", "3")])
        tar.add("sized", [7, 8, 9], size: Array("00000000000".utf8))
        tar.addPAX([("mtime", "1")], kind: "g")
        tar.add("spaced", [10], kind: "7", size: Array("         1 \0".utf8))
        tar.add("empty")
        tar.add("folder", kind: "5", size: Array("00000007000".utf8))
        let all = try members(tar.ended + [UInt8](repeating: 0, count: 8192))
        #expect(
            all.map(\.name) == [
                "old", "a/b", "deep/er/c", "big", "long/name", "päx", "sized", "spaced", "empty",
            ])
        #expect(
            all.map(\.data) == [[1], [2, 3], noise(512), [4], [5], [6], [7, 8, 9], [10], []] as [[UInt8]])
    }

    @Test func whatIsPassedOver() throws {
        var tar = TarFile()
        tar.add("a", noise(200_000))
        tar.add("b", [1])
        for bytes in [tar.ended, try gzip(tar.ended)] {
            var archive = TarArchive(try UnpackedFile(bytes, named: "a.tar"))
            #expect(try archive.next() == TarArchive.Member(name: "a", offset: 512, byteCount: 200_000))
            let second = try #require(try archive.next())
            #expect(second.name == "b" && tar.bytes[second.offset] == 1)
            #expect(try archive.contents() == [1])
            #expect(try archive.contents() == [])
            #expect(try archive.next() == nil)
        }
    }

    @Test(arguments: ["../a", "/etc/passwd", "a/../../b", "..", "./..", "a/.."])
    func namesThatLeadOut(name: String) {
        #expect(kind { $0.add(name, [1]) } == .wrongFormat)
        #expect(kind { $0.add(name, kind: "5") } == .wrongFormat)
        #expect(kind { $0.add("a", [1], prefix: name) } == .wrongFormat)
        #expect(
            kind {
                $0.addPAX([("path", name)])
                $0.add("a", [1])
            } == .wrongFormat)
        #expect(
            kind {
                $0.add("L", Array(name.utf8) + [0], kind: "L")
                $0.add("a", [1])
            } == .wrongFormat)
    }

    @Test(arguments: ["1", "2", "3", "4", "6", "S", "K", "M", "A"] as [Character])
    func linksDevicesAndOthers(member: Character) {
        #expect(kind { $0.add("a", kind: member, link: "/etc/passwd") } == .wrongFormat)
    }

    @Test func limits() throws {
        var tar = TarFile()
        for name in ["a", "b", "c"] { tar.add(name, noise(1000)) }
        let packed = try gzip(tar.ended)
        // Three headers, three times two blocks, and the end.
        #expect(kind(packed, limits: .init(memberCount: 3, fileByteCount: 1000, byteCount: 11 * 512)) == nil)
        #expect(kind(packed, limits: .init(memberCount: 2)) == .tooLarge)
        #expect(kind(packed, limits: .init(fileByteCount: 999)) == .tooLarge)
        #expect(kind(packed, limits: .init(byteCount: 4 * 512)) == .tooLarge)
    }

    @Test func bombs() throws {
        // A member that claims much, and zeros behind the end that never stop.
        var tar = TarFile()
        tar.add("a", [1], size: Array("77777777777".utf8))
        #expect(kind(tar.ended) == .tooLarge)
        #expect(kind(tar.ended, limits: .init(fileByteCount: 1 << 40, byteCount: 1 << 41)) == .truncated)
        tar = TarFile()
        tar.add("a", [UInt8](repeating: 0, count: 1 << 22))
        #expect(try kind(gzip(tar.ended), limits: .init(byteCount: 1 << 20)) == .tooLarge)
        let zeros = [UInt8](repeating: 0, count: 1 << 22)
        #expect(try kind(gzip(TarFile().ended + zeros), limits: .init(byteCount: 1 << 20)) == .tooLarge)
        tar = TarFile()
        tar.add("a", size: [0xFF] + [UInt8](repeating: 0xFF, count: 11))
        #expect(kind(tar.ended) == .wrongFormat)
        tar = TarFile()
        tar.addPAX([("path", String(repeating: "x", count: 1 << 16))])
        #expect(kind(tar.ended) == .tooLarge)
    }

    @Test(arguments: [
        "x path=a\n", "99 path=a\n", "10 path=ab\n ", "999999999999999999999 a=b\n", "5 a=b",
        "7 size\n", "11 size=-1\n", "11 size=9x\n", "0 a=b\n", "9 path=\0\n", "22 GNU.sparse.major=1\n",
    ])
    func damagedPAX(records: String) {
        #expect(
            kind {
                $0.add("x", Array(records.utf8), kind: "x")
                $0.add("a", [1])
            } == .wrongFormat)
    }

    @Test func otherDamage() {
        #expect(kind { $0.add("L", Array("name\0".utf8), kind: "L") } == .wrongFormat)
        #expect(kind { $0.add("a", [1], size: Array("0000000000x".utf8)) } == .wrongFormat)
        var tar = TarFile()
        tar.add("a", [1])
        let end = [UInt8](repeating: 0, count: 512)
        #expect(kind(tar.bytes + end + [UInt8](repeating: 1, count: 512)) == .wrongFormat)
        #expect(kind(tar.ended + [1]) == .wrongFormat)
        #expect(kind(noise(2000)) == .wrongFormat)
        var invalid = tar.bytes
        invalid[0] = 0xFF
        var block = Array(invalid[..<512])
        TarFile.seal(&block)
        #expect(kind(block + invalid[512...] + end + end) == .wrongFormat)
    }

    @Test func everyTruncationIsFound() throws {
        var tar = TarFile()
        tar.addPAX([("path", "name")])
        tar.add("a", noise(600))
        tar.add("b", [1, 2, 3])
        let plain = tar.ended
        for length in 0..<plain.count {
            #expect(kind(Array(plain[..<length])) == .truncated, "\(length) bytes")
        }
        let packed = try gzip(plain)
        for length in 0..<packed.count {
            #expect(kind(Array(packed[..<length])) == .truncated, "\(length) packed bytes")
        }
        #expect(kind(packed) == nil)
    }

    @Test func flippedBitsOfHeadersAreFound() throws {
        var tar = TarFile()
        tar.add("name", noise(100), form: .gnu)
        for place in 0..<512 {
            for bit in 0..<8 {
                var damaged = tar.ended
                damaged[place] ^= 1 << UInt8(bit)
                // Only spaces and zeros around the checksum's digits may change into each other.
                if let all = try? members(damaged) {
                    #expect(all.map(\.name) == ["name"] && all[0].data == noise(100), "\(place) \(bit)")
                }
            }
        }
    }
}
