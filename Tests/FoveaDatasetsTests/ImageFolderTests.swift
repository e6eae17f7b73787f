import Foundation
import FoveaPictures
import TestSupport
import Testing

@testable import FoveaDatasets

@Suite struct ImageFolderTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 16]
    private var root: String { directory.path }

    private func add(_ names: String...) throws {
        for name in names { try directory.write(jpeg, to: name) }
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: root + "/" + name, withDestinationPath: target)
    }

    /// The paths below the folder with their labels.
    private func items(_ folder: ImageFolder) -> [String] {
        folder.items.map { "\($0.label) \($0.path.dropFirst(root.count + 1))" }
    }

    private func refusal(_ path: String? = nil, limit: Int = 100) -> DatasetError? {
        do throws(DatasetError) {
            _ = try ImageFolder(path ?? root, limit: limit)
            return nil
        } catch {
            return error
        }
    }

    @Test func sortedByBytes() throws {
        // Neither the order of a language nor that of numbers: "Z" is before "a", and "10" before "9".
        try add(
            "dogs/9.jpg", "dogs/10.jpg", "dogs/Z.jpg", "dogs/a.jpg", "dogs/ä.jpg", "Zebras/1.jpg",
            "cats/1.jpg")
        let folder = try ImageFolder(root)
        #expect(folder.classNames == ["Zebras", "cats", "dogs"] && folder.counts == [1, 1, 5])
        #expect(
            items(folder) == [
                "0 Zebras/1.jpg", "1 cats/1.jpg", "2 dogs/10.jpg", "2 dogs/9.jpg", "2 dogs/Z.jpg",
                "2 dogs/a.jpg",
                "2 dogs/ä.jpg",
            ])
        #expect(folder.skipped.isEmpty && folder.outsideLinkCount == 0)
    }

    @Test func nestedAndHidden() throws {
        try add("a/x/y/1", "a/x.jpg", "a/b/2", "a/.hidden/3", "a/.4", ".git/5", "b/6")
        try directory.write([], to: "a/Thumbs.db")
        let expected = ["0 a/b/2", "0 a/x.jpg", "0 a/x/y/1", "1 b/6"]
        #expect(try items(ImageFolder(root)) == expected && items(ImageFolder(root + "/")) == expected)
    }

    @Test func whatIsNoPictureIsCounted() throws {
        try add("a/1.JPG", "a/2", "b/3.jpg", "beside.jpg")
        try directory.write(Array("text".utf8), to: "a/readme.TXT")
        try directory.write([], to: "a/empty")
        try directory.write(Array("II*\0".utf8), to: "b/scan.tiff")
        try directory.write([1, 2], to: "b/LICENCE")
        let folder = try ImageFolder(root)
        #expect(items(folder) == ["0 a/1.JPG", "0 a/2", "1 b/3.jpg"])
        #expect(folder.skipped == [".txt": 1, ".tiff": 1, ".jpg": 1, "no ending": 2])
    }

    /// They are refused or left out when they are decoded, with the reason.
    @Test func damagedPicturesAreListed() throws {
        try add("a/1.jpg")
        try directory.write([], to: "a/empty.JPEG")
        try directory.write(Array("<html>".utf8), to: "a/page.png")
        try link("a/away.webp", to: "absent")
        try link("a/self.gif", to: "self.gif")
        #expect(mkfifo(root + "/a/pipe.bmp", 0o644) == 0)
        let folder = try ImageFolder(root)
        #expect(folder.items.count == 6 && folder.skipped.isEmpty)
        for item in folder.items.dropFirst() {
            let error = #expect(throws: PictureError.self) {
                try Picture.decode(contentsOf: URL(fileURLWithPath: item.path))
            }
            #expect(error?.file == item.path)
        }
    }

    @Test(
        arguments: [
            ([0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10], true), (Array("GIF89a".utf8), true),
            (Array("BM6".utf8), true),
            (Array("RIFF1234WEBPVP8 ".utf8), true), (Array("RIFF1234WAVE".utf8), false),
            (Array("P5\n".utf8), true),
            (Array("P6#".utf8), true), (Array("P7\n".utf8), false), (Array("Peter".utf8), false),
            ([0xFF, 0xD8], false),
        ] as [([UInt8], Bool)])
    func formats(start: [UInt8], isPicture: Bool) throws {
        try add("a/other")
        try directory.write(start, to: "a/file")
        #expect(try ImageFolder(root).items.count == (isPicture ? 2 : 1))
    }

    @Test func foldersThatCannotBeUsed() throws {
        #expect(refusal(root + "/absent")?.kind == .missingFile)
        #expect(refusal()?.kind == .missingFile && refusal()?.file == root)
        try add("cats/1.jpg", "beside.jpg")
        #expect(refusal(root + "/beside.jpg")?.kind == .fileAccess)
        #expect(refusal() == nil && refusal(limit: 1) == nil && refusal(limit: 0)?.kind == .tooLarge)
        try FileManager.default.createDirectory(
            atPath: root + "/dogs/puppies", withIntermediateDirectories: true)
        #expect(refusal()?.kind == .missingFile && refusal()?.file == root + "/dogs")
        try directory.write([1], to: "dogs/notes.txt")
        #expect(try ImageFolder(root).leftOutFolders == ["dogs"])
        try FileManager.default.removeItem(atPath: root + "/cats")
        let error = try #require(refusal())
        #expect(error.kind == .missingFile && error.file == root)
        #expect(
            error.message.hasSuffix(
                "1 .jpg, 1 .txt; left out folders of results or without pictures that can be read: dogs"))
    }

    @Test func whatIsNotUsedIsNamed() throws {
        try add("cats/1.jpg", "dogs/2.jpg", ".DS_Store", ".trash/3.jpg")
        try add("__MACOSX/cats/1.jpg", "dogs/__MACOSX/4.jpg")
        #expect(try ImageFolder(root).leftOut == nil && ImageFolder(root).counts == [1, 1])
        for name in ["birds/1.HEIC", "birds/2.heic", "cats/3.heic", "cats/4.tif", "notes/5.txt"] {
            try directory.write(Array("....ftypheic".utf8), to: name)
        }
        let folder = try ImageFolder(root)
        #expect(folder.classNames == ["cats", "dogs"] && folder.leftOutFolders == ["birds", "notes"])
        #expect(folder.skipped == [".heic": 3, ".tif": 1, ".txt": 1])
        #expect(
            folder.leftOut
                == "left out files that are no pictures of a class or cannot be read: 3 .heic, 1 .tif, 1 .txt; left out "
                + "folders of results or without pictures that can be read: birds, notes; convert .heic and .tif pictures "
                + "to JPEG or PNG to use them")
    }

    /// What `fovea train` leaves among the classes, whole or killed: they are the same as before.
    @Test func foldersOfRunsAreNoClasses() throws {
        try add("cats/1.jpg", "dogs/puppies/2", "dogs/history.csv/3.jpg")
        let classes = try ImageFolder(root)
        #expect(classes.classNames == ["cats", "dogs"] && classes.leftOutFolders.isEmpty)
        let checkpoint: [UInt8] = [88, 0, 0, 0, 0, 0, 0, 0] + Array(#"{"__metadata__":{}"#.utf8)
        for name in [
            "out/model.safetensors", "out/plot.png", "runs/a/b/model.safetensors", "killed/state",
            "runs/c/metrics.json",
        ] {
            try directory.write(checkpoint, to: name)
        }
        try directory.write([1], to: "table/history.csv")
        try directory.write([1], to: "table/.hidden.jpg")
        for name in ["runs/d", "new/deep/er"] {
            try FileManager.default.createDirectory(
                atPath: root + "/" + name, withIntermediateDirectories: true)
        }
        #expect(refusal()?.file == root + "/new")
        #expect(throws: DatasetError.self) { try ImageFolder(root, results: root + "/newer/de") }
        let folder = try ImageFolder(root, results: root + "/./new/deep//x/y")
        #expect(folder.leftOutFolders == ["killed", "new", "out", "runs", "table"])
        #expect(folder.classNames == classes.classNames && folder.items == classes.items)
        #expect(folder.skipped.isEmpty)
        let part = try folder.split(validation: 0.5, seed: 1)
        #expect(part.validation.leftOutFolders == folder.leftOutFolders)

        try FileManager.default.removeItem(atPath: root + "/runs")
        try FileManager.default.createDirectory(
            atPath: root + "/runs/nothing", withIntermediateDirectories: true)
        try FileManager.default.removeItem(atPath: root + "/new")
        #expect(try ImageFolder(root).leftOutFolders == ["killed", "out", "runs", "table"])

        // Without pictures it is no class, and with pictures one.
        try directory.write(Array("x".utf8), to: "notes/metrics.txt")
        #expect(try ImageFolder(root).leftOutFolders == ["killed", "notes", "out", "runs", "table"])
        try directory.write(jpeg, to: "notes/1.jpg")
        try directory.write([1], to: "notes/metrics.json")
        #expect(try ImageFolder(root).classNames == ["cats", "dogs", "notes"])
        try directory.write([1], to: "runs/c/metrics.json")
        try link("round", to: "runs")
        try link("runs/up", to: "../runs")
        #expect(refusal()?.kind == .wrongFormat)
    }

    /// "é" and "ä" as one character and as two, in folders of one tree each.
    @Test func namesAreInOneForm() throws {
        let names = ["\u{E9}clair", "fig", "\u{E4}pfel", "zoo", "e", "i\u{307}\u{323}"]
        for (part, form) in [("train", 0), ("validation", 1)] {
            for name in names {
                let stored = form == 0 ? name : name.decomposedStringWithCanonicalMapping
                for picture in ["b\u{E4}r.jpg", "baum.jpg", "bz.jpg"] {
                    let file = form == 0 ? picture : picture.decomposedStringWithCanonicalMapping
                    try add("\(part)/\(stored)/\(file)")
                }
            }
        }
        let splits = try #require(try ImageFolder.splits(of: root))
        let validation = try #require(splits.validation)
        let expected = ["e", "fig", "zoo", "\u{E4}pfel", "\u{E9}clair", "\u{1ECB}\u{307}"]
        for folder in [splits.train, validation] {
            #expect(folder.classNames.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
            let order = folder.items.prefix(3).map { $0.path.split(separator: "/").last ?? "" }
            #expect(order == ["baum.jpg", "bz.jpg", "b\u{E4}r.jpg"])
            #expect(folder.items.allSatisfy { FileManager.default.fileExists(atPath: $0.path) })
        }
    }

    @Test func twoFoldersOfOneName() throws {
        try add("K\u{E4}se/1.jpg", "Ka\u{308}se/2.jpg", "Brot/3.jpg")
        let error = try #require(refusal())
        #expect(error.kind == .wrongFormat && error.file == root)
        #expect(error.message.contains("'Ka\\u{0308}se' and 'K\\u{00E4}se'"), "\(error)")
        // Files may have such names: their order is that of their own bytes.
        try FileManager.default.removeItem(atPath: root + "/K\u{E4}se")
        try add("Brot/\u{E4}.jpg", "Brot/a\u{308}.jpg")
        let names: [[UInt8]] = try ImageFolder(root).items.map {
            Array(($0.path.split(separator: "/").last ?? "").utf8)
        }
        let expected: [[UInt8]] = ["3.jpg", "a\u{308}.jpg", "\u{E4}.jpg", "2.jpg"].map { Array($0.utf8) }
        #expect(names == expected)
    }

    @Test func linksAreFollowed() throws {
        let other = try TemporaryDirectory()
        try other.write(jpeg, to: "far/1.jpg")
        try other.write(jpeg, to: "2.jpg")
        try add("a/3.jpg", "b/4.jpg")
        try link("c", to: other.path + "/far")
        try link("a/5.jpg", to: other.path + "/2.jpg")
        try link("a/6.jpg", to: "../b/4.jpg")
        let folder = try ImageFolder(root)
        #expect(items(folder) == ["0 a/3.jpg", "0 a/5.jpg", "0 a/6.jpg", "1 b/4.jpg", "2 c/1.jpg"])
        #expect(folder.outsideLinkCount == 2)
    }

    @Test(arguments: [".", "a", "a/deep", "b/../a"]) func loops(target: String) throws {
        try add("a/deep/1.jpg", "b/2.jpg")
        try link("a/deep/loop", to: "../../" + target)
        let error = try #require(refusal())
        #expect(error.kind == .wrongFormat && error.file == root + "/a/deep/loop")
    }

    @Test func foldersReachedTwice() throws {
        try add("a/1.jpg")
        try link("b", to: "a")
        let error = try #require(refusal())
        #expect(
            error.kind == .wrongFormat && error.file == root + "/b" && error.message.contains(root + "/a"))
    }

    @Test func linksToNothing() throws {
        try add("a/1.jpg")
        try link("a/2", to: "absent")
        #expect(refusal()?.kind == .missingFile && refusal()?.file == root + "/a/2")
        try FileManager.default.removeItem(atPath: root + "/a/2")
        try link("a/self", to: "self")
        #expect(refusal()?.kind == .fileAccess && refusal()?.file == root + "/a/self")
        #expect(refusal()?.message.hasSuffix("; remove the link that leads to itself") == true)
    }

    @Test func namesThatAreNotText() throws {
        try add("a/1.jpg")
        let name = Array((root + "/a/").utf8) + [0xFF, 0]
        let descriptor = name.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_CREAT | O_WRONLY, 0o644) }
        }
        try #require(descriptor >= 0)
        close(descriptor)
        #expect(refusal()?.kind == .fileAccess && refusal()?.message.contains("UTF-8") == true)
    }

    @Test func controlCharactersInNamesAreSpeltOut() throws {
        try FileManager.default.createDirectory(
            atPath: root + "/a\u{1B}[2J\nb\u{9B}ü👩‍👧", withIntermediateDirectories: true)
        let error = try #require(refusal())
        #expect(error.file == root + "/a\u{1B}[2J\nb\u{9B}ü👩‍👧")
        #expect(error.description.hasPrefix(root + "/a\\u{1B}[2J\\u{A}b\\u{9B}ü👩‍👧: there are no pictures"))
        let picture = PictureError(.missingFile, file: "a\r", "\u{7F} is \u{2028}missing")
        #expect(picture.description == "a\\u{D}: \\u{7F} is \\u{2028}missing")
        #expect(DatasetError(.wrongFormat, "no file\t").description == "no file\\u{9}")
    }

    @Test func pipesAreNoPictures() throws {
        try add("a/1.jpg")
        #expect(mkfifo(root + "/a/pipe", 0o644) == 0)
        #expect(try ImageFolder(root).skipped == ["no ending": 1])
    }

    @Test func splits() throws {
        try add("train/a/1.jpg", "train/b/2.jpg", "test/a/3.jpg", "test/b/4.jpg")
        let two = try #require(try ImageFolder.splits(of: root))
        #expect(items(two.train) == ["0 train/a/1.jpg", "1 train/b/2.jpg"] && two.validation == nil)
        #expect(two.test.map(items) == ["0 test/a/3.jpg", "1 test/b/4.jpg"])
        try add("valid/a/5.jpg")
        let error = #expect(throws: DatasetError.self) { try ImageFolder.splits(of: root) }
        #expect(error?.file == root + "/valid" && error?.message.contains("has b") == true)
        try add("valid/b/6.jpg")
        #expect(try ImageFolder.splits(of: root)?.validation?.items.count == 2)
        try add("val/a/5.jpg")
        let double = #expect(throws: DatasetError.self) { try ImageFolder.splits(of: root) }
        #expect(double?.message.contains("'val' and 'valid'") == true)
    }

    /// As those of competitions; what is told of their files depends on the names.
    @Test func unlabelledPartsAreNotUsed() throws {
        try add("train/a/1.jpg", "train/b/2.jpg", "test/3.jpg", "test/4.jpg", "test/__MACOSX/5.jpg")
        try directory.write([1], to: "test/list.csv")
        try directory.write([1], to: "val/none/list.csv")
        let splits = try #require(try ImageFolder.splits(of: root))
        #expect(splits.train.counts == [1, 1] && splits.test == nil && splits.validation == nil)
        #expect(splits.unlabelled.map(\.path) == [root + "/val", root + "/test"])
        #expect(
            splits.unlabelled.last?.withoutClasses
                == root
                + "/test: is not used, because it has no folders for classes, only files: 1 .csv, 2 .jpg")
        #expect(throws: DatasetError.self) { try ImageFolder(root + "/test") }
        try add("test/a/6.jpg")
        try directory.write([1], to: "test/b/7.heic")
        let error = #expect(throws: DatasetError.self) { try ImageFolder.splits(of: root) }
        #expect(
            error?.message.hasSuffix("has b; folders without pictures that can be read are no classes")
                == true)
    }

    @Test func trainCanBeAClass() throws {
        try add("train/1.jpg", "plane/2.jpg")
        #expect(try ImageFolder.splits(of: root) == nil)
        #expect(try ImageFolder(root).classNames == ["plane", "train"])
        #expect(throws: DatasetError.self) { try ImageFolder.splits(of: root + "/absent") }
    }

    @Test func dividing() throws {
        for (name, count) in [("a", 10), ("b", 3), ("c", 1), ("d", 2)] {
            for number in 0..<count { try add("\(name)/\(number)") }
        }
        let folder = try ImageFolder(root)
        let (train, validation) = try folder.split(validation: 0.2, seed: 5)
        #expect(train.counts == [8, 2, 1, 1] && validation.counts == [2, 1, 0, 1])
        #expect(validation.classNames == folder.classNames)
        #expect(Set(train.items.map(\.path)).isDisjoint(with: validation.items.map(\.path)))
        #expect((train.items + validation.items).count == folder.items.count)
        #expect(train.items.map(\.path) == train.items.map(\.path).sorted())
        let again = try folder.split(validation: 0.2, seed: 5)
        #expect(again.train == train && again.validation == validation)
        let others = try (0..<20).map { try folder.split(validation: 0.2, seed: $0).validation }
        #expect(Set(others.map { items($0).joined() }).count > 10)
        // Each picture gets its turn.
        #expect(Set(others.flatMap(items)).count == folder.items.count - 1)
        #expect(try folder.split(validation: 0.99, seed: 1).train.counts == [1, 1, 1, 1])
        for fraction in [0, 1, -0.5, .nan, .infinity] {
            #expect(throws: DatasetError.self) { try folder.split(validation: fraction, seed: 0) }
        }
    }

    @Test func nothingToDivide() throws {
        try add("a/1", "b/2")
        let folder = try ImageFolder(root)
        #expect(throws: DatasetError.self) { try folder.split(validation: 0.5, seed: 0) }
    }
}
