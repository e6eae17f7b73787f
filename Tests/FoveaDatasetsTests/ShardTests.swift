import Foundation
import FoveaGraph
import FoveaPictures
import Synchronization
import TestSupport
import Testing

@testable import FoveaDatasets

/// Tar files of labelled pictures, written and read, here and from a server.
@Suite struct ShardTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private var output: String { directory.path + "/shards" }

    private func ppm(_ level: UInt8) -> [UInt8] {
        Array("P6 4 3 255\n".utf8) + [UInt8](repeating: level, count: 36)
    }

    /// 5 pictures of "a", 3 of "b", 1 of "ä", no two alike.
    private func folder(_ name: String = "pictures") throws -> ImageFolder {
        for (label, (name, count)) in [("\(name)/a", 5), ("\(name)/b", 3), ("\(name)/ä", 1)].enumerated() {
            for number in 0..<count {
                try directory.write(ppm(UInt8(20 * label + number)), to: "\(name)/\(number).ppm")
            }
        }
        return try ImageFolder(directory.path + "/" + name)
    }

    /// Each picture's level and class.
    private func contents(_ folder: ImageFolder) throws -> [[Int]] {
        try folder.items.map { [Int(try $0.picture().pixels[0]), $0.label] }
    }

    private func refusal(_ path: String) -> DatasetError? {
        #expect(throws: DatasetError.self) { try ImageFolder(path) }
    }

    // MARK: Writing and reading

    @Test func shardsHaveWhatTheFolderHas() throws {
        let folder = try folder()
        // Three headers and two blocks a sample, so two samples in each.
        #expect(try folder.writeShards(to: output, byteCount: 5000) == 5)
        let shards = try ImageFolder(output)
        #expect(shards.classNames == ["a", "b", "ä"] && shards.counts == [5, 3, 1])
        #expect(try contents(shards).sorted { $0[0] < $1[0] } == contents(folder))
        #expect(try contents(shards) != contents(folder), "they are in random order")
        #expect(shards.items[0].path == output + "/shard-000.tar/000000.ppm")
        // By a pattern and one by one.
        #expect(try ImageFolder(output + "/shard-{000..004}.tar").items == shards.items)
        let first = try ImageFolder(output + "/shard-000.tar")
        #expect(first.items == Array(shards.items.prefix(2)) && first.classNames == shards.classNames)
        // The same seed writes the same bytes.
        let again = directory.path + "/again"
        try folder.writeShards(to: again, byteCount: 5000)
        for name in try FileManager.default.contentsOfDirectory(atPath: output) {
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: "\(output)/\(name)"))
                    == Data(contentsOf: URL(fileURLWithPath: "\(again)/\(name)")), "\(name)")
        }
        // Shards of shards.
        let third = directory.path + "/third"
        #expect(try shards.writeShards(to: third, seed: 3) == 1)
        #expect(try contents(ImageFolder(third)).sorted { $0[0] < $1[0] } == contents(folder))
    }

    @Test func examplesAreThoseOfTheFolder() throws {
        let folder = try folder()
        try folder.writeShards(to: output)
        let shards = try ImageFolder(output)
        let examples = try Dataset(shards, size: 5)
        let originals = try Dataset(folder, size: 5)
        for index in 0..<9 {
            let example = try examples.element(at: index)
            let level = try contents(shards)[index][0]
            let same = try contents(folder).firstIndex { $0[0] == level }
            #expect(try example == originals.element(at: #require(same)))
        }
        let (train, validation) = try shards.split(validation: 0.4, seed: 1)
        #expect(train.counts == [3, 2, 1] && validation.counts == [2, 1, 0])
        #expect(train.items == shards.items.filter { !validation.items.contains($0) })
    }

    @Test func partsOfAFolder() throws {
        for part in ["train", "test"] { try folder("set/\(part)").writeShards(to: "\(output)/\(part)") }
        let splits = try #require(try ImageFolder.splits(of: output))
        #expect(splits.train.items.count == 9 && splits.test?.items.count == 9 && splits.validation == nil)
        // A part of folders beside one of shards.
        _ = try folder("shards/validation")
        #expect(try ImageFolder.splits(of: output)?.validation?.items.count == 9)
    }

    /// What a training that goes on compares.
    @Test func fingerprintsTellShardsApart() throws {
        let folder = try folder()
        try folder.writeShards(to: output)
        let before = DataFingerprint(try ImageFolder(output))
        let moved = directory.path + "/moved"
        try FileManager.default.moveItem(atPath: output, toPath: moved)
        #expect(try DataFingerprint(ImageFolder(moved)) == before)
        #expect(try DataFingerprint(ImageFolder(moved + "/shard-{000..000}.tar")) == before)
        #expect(DataFingerprint(folder) != before)
    }

    @Test func theWritersRefusals() throws {
        let folder = try folder()
        #expect(throws: DatasetError.self) { try folder.writeShards(to: output, byteCount: 0) }
        try folder.writeShards(to: output)
        let error = #expect(throws: DatasetError.self) { try folder.writeShards(to: output) }
        #expect(error?.message.contains("in the way") == true)
        try directory.write(ppm(0), to: "lines/a\nb/1.ppm")
        let lines = try ImageFolder(directory.path + "/lines")
        #expect(throws: DatasetError.self) { try lines.writeShards(to: directory.path + "/x") }
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/x"))
    }

    // MARK: Other people's archives

    private func archive(_ members: [(String, [UInt8])]) -> [UInt8] {
        var archive = TarFile()
        for (name, data) in members { archive.add(name, data) }
        return archive.ended
    }

    @Test func membersOfASampleShareAName() throws {
        // Folders, a dot in a folder's name, several endings, files of other kinds, and a sample without a picture.
        try directory.write(
            archive([
                ("v1.2/a.ppm", ppm(1)), ("v1.2/a.cls", Array(" 2\n".utf8)), ("v1.2/a.json", Array("{}".utf8)),
                ("v1.2/b.cls", Array("0".utf8)), ("v1.2/b.seg.ppm", ppm(2)), ("notes.txt", []),
                ("c.cls", Array("1".utf8)),
            ]), to: "one.tar")
        let folder = try ImageFolder(directory.path + "/one.tar")
        #expect(folder.classNames == ["0", "1", "2"])
        #expect(try contents(folder) == [[1, 2], [2, 0]])
        #expect(folder.items[1].path == directory.path + "/one.tar/v1.2/b.seg.ppm")
    }

    @Test(arguments: [
        ([("a.ppm", "P6")], "has no class"), ([("a.ppm", "P6"), ("a.cls", "cat")], "in digits"),
        ([("a.ppm", "P6"), ("a.cls", "-1")], "in digits"), ([("a.ppm", "P6"), ("a.cls", "")], "in digits"),
        ([("a.ppm", "P6"), ("a.cls", "1000000")], "in digits"),
        ([("a.ppm", "P6"), ("a.cls", String(repeating: "1", count: 400))], "in digits"),
        ([("a.ppm", "P6"), ("a.png", "x"), ("a.cls", "1")], "two pictures"),
        ([("a.txt", "x")], "no pictures"), ([], "no pictures"),
    ])
    func samplesThatMakeNoSense(_ members: [(String, String)], _ text: String) throws {
        try directory.write(archive(members.map { ($0, Array($1.utf8)) }), to: "one.tar")
        let error = refusal(directory.path + "/one.tar")
        #expect(error?.message.contains(text) == true, "\(String(describing: error))")
    }

    @Test func damagedArchivesAndNames() throws {
        try folder().writeShards(to: output)
        let path = output + "/shard-000.tar"
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        for count in [0, 100, 512, 700, 2000, bytes.count - 1024] {
            try directory.write(Array(bytes.prefix(count)), to: "cut.tar")
            #expect(refusal(directory.path + "/cut.tar") != nil)
        }
        try directory.write(try gzip(bytes), to: "packed.tar")
        #expect(refusal(directory.path + "/packed.tar")?.message.contains("unpack") == true)
        try directory.write(Array("ä\nb\n".utf8), to: "shards/classes.txt")
        #expect(refusal(output)?.kind == .labelOutOfRange)
        for names in ["a\na\nc\n", "a\n\nc\n", ""] {
            try directory.write(Array(names.utf8), to: "shards/classes.txt")
            #expect(refusal(output)?.message.contains("on each line") == true)
        }
        try directory.write([0xFF, 0xFE], to: "shards/classes.txt")
        #expect(refusal(output)?.message.contains("UTF-8") == true)
        for pattern in [
            "{", "a{1..}.tar", "a{2..1}.tar", "a{1..2}}.tar", "{a}.tar", "{{a,b}}.tar", "a{0..1}.zip",
        ] {
            #expect(refusal(pattern)?.kind == .invalidArgument, "\(pattern)")
        }
        #expect(refusal("{0..99999999}.tar")?.kind == .tooLarge)
        #expect(refusal("{0..9999}{0..9999}.tar")?.kind == .tooLarge)
        #expect(refusal(directory.path + "/none-{0..1}.tar")?.kind == .missingFile)
    }

    /// A picture is looked for when it is asked for, and errors name it.
    @Test func picturesThatAreGone() throws {
        try folder().writeShards(to: output)
        let item = try ImageFolder(output).items[0]
        try directory.write([1, 2, 3], to: "shards/shard-000.tar")
        let error = #expect(throws: PictureError.self) { try item.picture() }
        #expect(error?.file == item.path)
    }

    @Test func patterns() throws {
        #expect(
            try ShardNames.expanded("a-{08..11}.tar") == ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"])
        #expect(try ShardNames.expanded("{8..10}") == ["8", "9", "10"])
        #expect(try ShardNames.expanded("{a,b}/{0..1}") == ["a/0", "a/1", "b/0", "b/1"])
        #expect(try ShardNames.expanded("plain.tar") == ["plain.tar"])
    }
}
