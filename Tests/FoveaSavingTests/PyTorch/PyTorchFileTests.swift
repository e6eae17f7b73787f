import FoveaGraph
import Testing

@testable import FoveaSaving

@Suite struct PyTorchFileTests {
    static func fixture(_ name: String) throws -> [UInt8] { try ZIPArchiveTests.fixture("pytorch/\(name)") }

    /// Strides, offsets, shared storages and every element type; safetensors.torch wrote the same tensors row by row.
    @Test(arguments: ["state.pt", "state_protocol4.pt", "state_old.pth"]) func tensorsAreThoseOfPyTorch(
        name: String
    ) throws {
        let file = try PyTorchFile(parsing: Self.fixture(name), file: name)
        let expected = try StoredSafetensors(
            parsing: Self.fixture("state.safetensors"), file: "state.safetensors")
        #expect(file.tensors.first?.name == "plain" && file.tensors.last?.name == "bool")
        #expect(Set(file.tensors.map(\.name)) == Set(expected.tensors.map(\.name)))
        #expect(file.tensors.count == 19)
        for tensor in file.tensors {
            let other = try #require(expected.tensors.first { $0.name == tensor.name })
            #expect(tensor.shape == other.shape, "\(tensor.name)")
            #expect(tensor.type == other.type, "\(tensor.name)")
            #expect(Array(tensor.bytes) == Array(other.bytes), "\(tensor.name)")
        }
        let strided = try #require(file.tensors.first { $0.name == "every_third" })
        #expect(try strided.value(file: name) == TensorValue((0..<8).map { Float(3 * $0 + 1) * 0.25 - 3 }))
    }

    @Test func checkpointsHaveDottedNames() throws {
        let file = try PyTorchFile(parsing: Self.fixture("checkpoint.pt"), file: "c")
        #expect(
            file.tensors.map(\.name) == [
                "state_dict.weight", "state_dict.bias", "optimizer.state.0.step", "optimizer.state.0.exp_avg",
                "optimizer.state.0.exp_avg_sq", "optimizer.state.1.step", "optimizer.state.1.exp_avg",
                "optimizer.state.1.exp_avg_sq",
            ])
        #expect(file.tensors[0].shape == [1, 2])
        let values = Dictionary(uniqueKeysWithValues: file.values.map { ($0.name, $0.value) })
        #expect(values["epoch"] == "4" && values["loss"] == "0.5")
        #expect(values["optimizer.param_groups.0.lr"] == "0.01")
        #expect(values["optimizer.param_groups.0.betas.1"] == "0.999")
    }

    @Test(arguments: [
        ("module.pt", "\"torch.nn.modules.linear.Linear\""),
        ("module_old.pth", "\"torch.nn.modules.linear.Linear\""),
        ("script.pt", "this is TorchScript"),
    ]) func programsAreRefused(name: String, text: String) throws {
        let error = #expect(throws: ModelFileError.self) {
            try PyTorchFile(parsing: Self.fixture(name), file: name)
        }
        #expect(error?.problem.contains(text) == true)
        #expect(error?.problem.contains("state_dict()") == true)
    }

    @Test func writtenAndRead() throws {
        let original = try PyTorchFile(parsing: Self.fixture("state.pt"), file: "s").tensors
        let bytes = try TorchWriter.bytes(of: original, file: "t.pt")
        #expect(try bytes == TorchWriter.bytes(of: original, file: "t.pt"))
        let again = try PyTorchFile(parsing: bytes, file: "t.pt").tensors
        #expect(again.map(\.name) == original.map(\.name))
        #expect(again.map(\.shape) == original.map(\.shape))
        #expect(again.map(\.type) == original.map(\.type))
        #expect(again.map { Array($0.bytes) } == original.map { Array($0.bytes) })
    }

    @Test func whatPyTorchHasNoStorageOf() throws {
        let tensor = try #require(StoredTensor(name: "t", shape: [1], type: .uint32, bytes: [0, 0, 0, 0]))
        let error = #expect(throws: ModelFileError.self) { try TorchWriter.bytes(of: [tensor], file: "t") }
        #expect(error?.problem.contains("uint32") == true)
    }

    /// PyTorch can be told not to compute checksums, and then writes zeros.
    @Test func withoutChecksums() throws {
        var zip = HandmadeZIP([
            .init(
                "a/data.pkl",
                PickleText().emptyDictionary.text("w").tensor(count: 2, shape: [2], strides: [1]).setItem.stop
            ),
            .init("a/data/0", little(Float(1.5).bitPattern) + little(Float(-2).bitPattern)),
        ])
        for index in zip.members.indices { zip.members[index].checksum = 0 }
        let file = try PyTorchFile(parsing: zip.bytes, file: "n")
        #expect(try file.tensors.map { try $0.value(file: "n") } == [TensorValue([1.5, -2])])
    }
}
