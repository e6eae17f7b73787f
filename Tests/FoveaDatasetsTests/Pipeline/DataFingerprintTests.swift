import Foundation
import FoveaGraph
import TestSupport
import Testing

@testable import FoveaDatasets

/// Data of the same form is told apart.
@Suite struct DataFingerprintTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Two pictures of each class.
    private func write(_ folder: String, classes: [String] = ["a", "b"], extra: String = "") throws {
        for (label, name) in classes.enumerated() {
            for number in 0..<2 {
                try directory.write(
                    Array("P5 1 1 255\n\(label)".utf8) + Array(extra.utf8),
                    to: "\(folder)/\(name)/\(number).ppm")
            }
        }
    }

    private func fingerprint(_ folder: String) throws -> DataFingerprint {
        DataFingerprint(try ImageFolder("\(directory.path)/\(folder)"))
    }

    private func difference(_ folder: String, _ other: String) throws -> String? {
        try DataFingerprint.difference(from: [fingerprint(folder)], to: [fingerprint(other)])
    }

    @Test func whatDiffersBetweenFoldersIsNamed() throws {
        try write("first")
        try write("second/below")
        #expect(try fingerprint("first") == fingerprint("second/below"))
        #expect(try fingerprint("first") == fingerprint("second/below/"))
        #expect(try difference("first", "second/below") == nil)

        try write("moved", classes: ["b", "c"])
        #expect(
            try difference("first", "moved") == "no longer has the class a and now also has the class c")
        #expect(try difference("moved", "first")?.contains("now also has the class a") == true)
        try write("more", classes: ["a", "b", "c", "d\u{1B}"])
        #expect(try difference("first", "more") == "now also has the classes c, d\\u{1B}")

        try write("added")
        try directory.write(Array("P5 1 1 255\n0".utf8), to: "added/b/2.ppm")
        #expect(try difference("first", "added") == "had 2 pictures of the class b, now has 3")
        try write("renamed")
        try FileManager.default.moveItem(
            atPath: directory.path + "/renamed/a/1.ppm", toPath: directory.path + "/renamed/a/2.ppm")
        #expect(try difference("first", "renamed") == "had other names of files in the class a")
        // In a folder further down.
        try write("deeper")
        try FileManager.default.createDirectory(
            atPath: directory.path + "/deeper/a/x", withIntermediateDirectories: true)
        try FileManager.default.moveItem(
            atPath: directory.path + "/deeper/a/1.ppm", toPath: directory.path + "/deeper/a/x/1.ppm")
        #expect(try difference("first", "deeper") == "had other names of files in the class a")
        try write("replaced")
        try directory.write(Array("P5 1 1 255\n01".utf8), to: "replaced/b/1.ppm")
        #expect(
            try difference("first", "replaced")?.hasPrefix("had other sizes of files in the class b") == true)
    }

    /// As when an archive was packed on another system.
    @Test func theFormOfNamesMakesNoDifference() throws {
        try write("composed", classes: ["caf\u{E9}", "the"])
        try write("decomposed", classes: ["cafe\u{301}", "the"])
        for (folder, name) in [("composed", "z\u{FC}"), ("decomposed", "zu\u{308}")] {
            try directory.write(Array("P5 1 1 255\n0".utf8), to: "\(folder)/the/\(name).ppm")
        }
        #expect(try fingerprint("composed") == fingerprint("decomposed"))
    }

    @Test func aPartIsOtherDataThanTheWhole() throws {
        try write("all")
        for number in 2..<9 { try directory.write([80, 53], to: "all/a/\(number).ppm") }
        let folder = try ImageFolder(directory.path + "/all")
        let (first, second) = (
            try folder.split(validation: 0.3, seed: 1), try folder.split(validation: 0.3, seed: 2)
        )
        #expect(DataFingerprint(first.train) != DataFingerprint(folder))
        #expect(DataFingerprint(first.train) != DataFingerprint(second.train))
        #expect(DataFingerprint(first.validation) != DataFingerprint(second.validation))
        #expect(
            try DataFingerprint(first.train) == DataFingerprint(folder.split(validation: 0.3, seed: 1).train))
    }

    @Test func everyNumberInMemoryCounts() throws {
        func examples(
            _ numbers: [Float] = [1, 2, 3, 4], labels: [Int32] = [0, 1], weights: [Float]? = nil
        ) throws -> Examples {
            try Examples(
                inputs: TensorValue(shape: [2, 2], numbers), targets: TensorValue(labels),
                weights: weights.map { TensorValue($0) })
        }
        let fingerprint = try DataFingerprint(examples())
        #expect(try DataFingerprint(examples()) == fingerprint)
        func difference(_ other: Examples) -> String? {
            DataFingerprint.difference(from: [fingerprint], to: [DataFingerprint(other)])
        }
        for other in try [examples([1, 2, 3, 5]), examples(labels: [1, 0])] {
            #expect(difference(other) == "had other numbers than now")
        }
        // Of another form, which is said elsewhere.
        for other in try [
            examples(weights: [1, 1]),
            Examples(inputs: TensorValue([Float(1), 2]), targets: TensorValue([Int32(0), 1])),
        ] {
            #expect(DataFingerprint(other) != fingerprint && difference(other) == nil)
        }
    }

    /// Whatever is done with the data.
    @Test func dataSetsKnowWhatTheyAreMadeFrom() throws {
        try write("first")
        try write("second", classes: ["c", "d"])
        let (first, second) = (
            try ImageFolder(directory.path + "/first"), try ImageFolder(directory.path + "/second")
        )
        let (a, b) = (try Dataset(first, size: 2), try Dataset(second, size: 2))
        let memory = try Examples(inputs: TensorValue([Float(1)]), targets: TensorValue([Int32(0)]))
        let one = DataFingerprint(first)
        #expect(a.fingerprints == [one] && Dataset(memory).fingerprints == [DataFingerprint(memory)])
        #expect(try a.shuffled(seed: 1).cached(byteLimit: 9).take(1).batched(2).fingerprints == [one])
        let batches: Dataset<Examples> = try a.augmented(Augmentation(horizontalFlip: true), seed: 1).batched(
            2)
        #expect(batches.fingerprints == [one])
        let both = [one, DataFingerprint(second)]
        #expect(a.zipped(with: b).fingerprints == both && a.map { $0 }.zipped(with: b).fingerprints == both)
        #expect(try a.concatenated(with: b).repeated(2).fingerprints == both)
        #expect(try Dataset(count: 3) { index, _ in index }.fingerprints.isEmpty)
        // What it says of itself has not changed.
        #expect(
            try batches.description.hasPrefix("4 pictures of 2 classes, ")
                && a.concatenated(with: b).description
                    == "(\(a)) and then (\(b))"
        )
    }
}
