import Foundation
import FoveaFiles
import FoveaGraph
import FoveaLayers
import TestSupport
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

    #if ProtocolBuffers
        @Test func onnx() throws {
            let bytes = try AtomicFile.read("\(ONNXImportTests.folder)/windows.onnx")
            let contents = try FileContents(parsing: bytes, file: "windows.onnx")
            #expect(contents.format.contains("ONNX"))
            let metadata = Dictionary(contents.metadata.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
            #expect(metadata["operator set"] == "17" && metadata["format version"] != nil)
            #expect(metadata["nodes"]?.contains("Conv") == true)
            #expect(metadata["input"]?.hasSuffix("]") == true && metadata["output"] != nil)
            #expect(contents.tensors.contains { $0.type == .float32 && $0.shape.rank == 4 })
        }
    #endif

    /// What cannot be told is guessed from its beginning and its name.
    @Test(arguments: [
        ("", "a.onnx", "the file is empty"),
        ("version https://git-lfs.github.com/spec/v1\n", "a.onnx", "git lfs pull"),
        ("  <!DOCTYPE html><html>", "a.pth", "a web page"), ("{\"class_name\": 1}", "a.keras", "JSON text"),
        ("0000TFL3", "a.tflite", "TensorFlow Lite"),
        ("GGUF", "a.onnx", "it is no ONNX file, or a damaged one"),
        ("GGUF", "a.safetensors", "too few for a safetensors file"),
        ("GGUF", "a.h5", "its name is that of an HDF5 file"),
        ("GGUF", "a.pt", "its name is that of a ZIP archive"),
        ("GGUF", "a.gguf", "begins like no file that is known"),
        ("GGUF", "a.gguf", "PyTorch's .pt and .pth files, and ONNX"),
    ]) func unknownFiles(text: String, name: String, problem: String) async throws {
        let bytes = Array(text.utf8)
        #if !ProtocolBuffers
            if problem.contains("ONNX file, or") { return }
        #endif
        #expect(FileFormat(content: bytes) == .unknown)
        try await inTemporaryFolder { folder in
            let path = "\(folder)/\(name)"
            try AtomicFile.write(bytes, to: path)
            func expect(_ read: () async throws -> Void) async {
                do {
                    try await read()
                    Issue.record("\(name) was read")
                } catch { #expect("\(error)".contains(problem), "\(error)") }
            }
            await expect { _ = try FileContents(contentsOf: path) }
            await expect { _ = try await SavedModel(contentsOf: path) }
            if !problem.contains("ONNX file, or") {
                await expect { try await Sequential(input: [2]) { Flatten() }.loadWeights(from: path) }
            }
        }
    }

    /// Weights whose model is not there are told from what is damaged.
    @Test(arguments: [
        "pytorch/state.pt", "pytorch/state_old.pth", "pytorch/network.safetensors", "reference.safetensors",
        "Keras/sequential3.weights.h5", "Keras/old_weights.h5",
    ]) func weightsAlone(name: String) async throws {
        let path = try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil)).path
        let error = await #expect(throws: ModelFileError.self) { try await SavedModel(contentsOf: path) }
        #expect(error?.holdsWeightsAlone == true, "\(String(describing: error))")
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
