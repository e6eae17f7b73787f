import Foundation
import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaPictures
import FoveaSaving
import FoveaTraining
import TestSupport
import Testing

/// What one way of naming a file has written, the other reads.
@Suite struct PathTests {
    @Test @Compute func models() throws {
        try withTemporaryFolder { folder in
            let (path, url) = (folder + "/m", URL(fileURLWithPath: folder + "/m"))
            let model = try Sequential(name: "m", input: [3]) { Dense(units: 2) }
            try SavedModel(model).write(to: url)
            #expect(try SavedModel(contentsOf: path).model.name == "m")
            #expect(try SavedModel(contentsOf: url).model.name == "m")
            try model.saveWeights(to: url)
            try model.loadWeights(from: path)
            try model.loadWeights(from: url)
            try Safetensors(metadata: ["a": "b"]).write(to: url)
            #expect(try Safetensors(contentsOf: path).metadata == ["a": "b"])
            #expect(try Safetensors(contentsOf: url).metadata == ["a": "b"])
            let error = #expect(throws: ModelFileError.self) { try SavedModel(contentsOf: url) }
            #expect(error?.file == path)
            #expect(CSVLogger(url).path == path && ModelCheckpoint(url).path == path)
            #expect(BackupAndRestore(url).path == path)
        }
    }

    @Test func data() throws {
        try withTemporaryFolder { folder in
            let picture = try Picture(height: 2, width: 3, color: .white)
            try makeFolder(folder + "/pictures/a")
            let path = folder + "/pictures/a/p.png"
            try AtomicFile.write([UInt8](picture.pngData()), to: path)
            #expect(try Picture.decode(contentsOf: path) == picture)
            #expect(try Picture.decode(contentsOf: URL(fileURLWithPath: path)) == picture)
            let url = URL(fileURLWithPath: folder + "/pictures", isDirectory: true)
            let listed = try ImageFolder(url, results: URL(fileURLWithPath: folder + "/runs"))
            #expect(listed.path == folder + "/pictures" && listed.items.map(\.path) == [path])
            #expect(try ImageFolder.splits(of: url) == nil)
            let batches = try Augmentation().flowFromDirectory(url, targetSize: 2)
            #expect(try batches.element(at: 0).count == 1)
            let cache = URL(fileURLWithPath: folder + "/cache")
            let once = try Dataset(listed, size: 2).cached(in: cache, fingerprint: "1")
            #expect(
                try once.element(at: 0)
                    == Dataset(listed, size: 2).cached(in: cache.path, fingerprint: "1").element(at: 0))
            try AtomicFile.write([0, 0, 8, 1, 0, 0, 0, 2, 7, 9], to: folder + "/idx")
            let idx = URL(fileURLWithPath: folder + "/idx")
            #expect(try IDX.read(idx).integers == [7, 9])
            #expect(
                try IDX.readLabels(idx, classCount: 10) == IDX.readLabels(folder + "/idx", classCount: 10))
            for body in [
                { _ = try CIFAR.readArchive(idx, kind: .ten) }, { _ = try SVHN.readExamples(idx) },
                { _ = try MATFile.read(idx, names: []) }, { _ = try IDX.readImages(idx) },
            ] as [() throws -> Void] {
                let error = #expect(throws: DatasetError.self) { try body() }
                #expect(error?.file?.hasPrefix(folder + "/idx") == true)
            }
        }
    }
}
