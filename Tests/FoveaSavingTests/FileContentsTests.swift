import Foundation
import FoveaGraph
import Testing

@testable import FoveaSaving

@Suite struct FileContentsTests {
    @Test func pyTorchs() throws {
        let contents = try FileContents(parsing: PyTorchFileTests.fixture("checkpoint.pt"), file: "c")
        #expect(contents.format.contains("PyTorch"))
        #expect(contents.tensors.first?.name == "state_dict.weight")
        #expect(contents.metadata.contains { $0.name == "epoch" && $0.value == "4" })
        let old = try FileContents(parsing: PyTorchFileTests.fixture("state_old.pth"), file: "c")
        #expect(old.format.contains("older"))
    }

    @Test func safetensorsOfPyTorch() throws {
        let contents = try FileContents(parsing: PyTorchFileTests.fixture("network.safetensors"), file: "n")
        #expect(contents.metadata.map(\.name) == ["format"] && contents.metadata.map(\.value) == ["pt"])
        let counter = try #require(contents.tensors.first { $0.name == "stem.1.num_batches_tracked" })
        #expect(counter.type == .int64 && counter.shape == [] && counter.firstElements(4) == ["0"])
    }

    @Test func firstElementsOfEveryType() throws {
        let tensors = try FileContents(parsing: PyTorchFileTests.fixture("state.safetensors"), file: "s")
            .tensors
        let texts = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.firstElements(3)) })
        #expect(texts["plain"] == ["-3.0", "-2.75", "-2.5"])
        #expect(texts["half"] == texts["plain"] && texts["bfloat"] == texts["plain"])
        #expect(texts["double"]?.first == "-1.0")
        #expect(texts["long"] == ["41"] && texts["int"] == ["1", "-2"] && texts["short"] == ["300", "-300"])
        #expect(texts["char"] == ["5", "-5"] && texts["byte"] == ["5", "250"])
        #expect(texts["bool"] == ["true", "false", "true"] && texts["empty"] == [])
        #expect(tensors.first { $0.name == "plain" }?.firstElements(-1) == [])
    }

    @Test func othersAreNamed() {
        let error = #expect(throws: ModelFileError.self) {
            try FileContents(parsing: [0x1F, 0x8B, 8, 0], file: "z")
        }
        #expect(error?.problem.contains("gzip") == true)
    }

    @Test(arguments: [
        ("a.onnx", FileFormat.onnx), ("B.H5", .hdf5), ("c.weights.h5", .kerasWeights),
        ("d.keras", .kerasArchive),
        ("e.pt", .torchArchive), ("f.PTH", .torchArchive), ("g.safetensors", .safetensors),
        ("h", .safetensors),
    ]) func endings(path: String, format: FileFormat) { #expect(FileFormat(ending: path) == format) }
}
