import Foundation
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaSaving

/// Files that hold no model, or one that does not fit its own description.
@Suite struct SavedModelHostileTests {
    private static let architecture = "fovea.architecture"

    /// Saves a small model, changes the file's content and says what is wrong with it then.
    private func problem(
        sourceLocation: SourceLocation = #_sourceLocation, _ change: (inout Safetensors) throws -> Void
    ) async throws -> String {
        var problem = ""
        try await inTemporaryFolder { folder in
            let path = folder + "/model.safetensors"
            let model = try Sequential(name: "small", input: [4, 4, 1]) {
                Conv2D(filters: 2, kernelSize: 3)
                Flatten()
                Dense(units: 3, activation: .softmax)
            }
            let training = TrainingConfiguration(
                optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
            try await SavedModel(model, training: training, classNames: ["a", "b", "c"]).write(to: path)
            var file = try Safetensors(contentsOf: path)
            try change(&file)
            try file.write(to: path)
            let error = await #expect(throws: ModelFileError.self, sourceLocation: sourceLocation) {
                try await SavedModel(contentsOf: path)
            }
            #expect(error?.file == path, sourceLocation: sourceLocation)
            #expect(error?.description.hasPrefix(path + ": ") == true, sourceLocation: sourceLocation)
            problem = error?.problem ?? ""
        }
        return problem
    }

    /// As `problem`, for a part of the architecture replaced in its JSON.
    private func problem(
        replacing text: String, by other: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        try await problem(sourceLocation: sourceLocation) { file in
            let json = try #require(file.metadata[Self.architecture])
            #expect(json.contains(text), sourceLocation: sourceLocation)
            file.metadata[Self.architecture] = json.replacingOccurrences(of: text, with: other)
        }
    }

    // MARK: - Metadata

    @Test func filesWithoutAModel() async throws {
        let noModel = "it holds tensors but no Fovea model"
        #expect(try await problem { $0.metadata = [:] }.hasPrefix(noModel))
        #expect(try await problem { $0.metadata[Self.architecture] = nil }.contains("'fovea.architecture'"))
        #expect(try await problem { $0.metadata["fovea.format"] = nil }.contains("'fovea.format'"))
    }

    @Test(arguments: ["1", "17", "1.5", "", "one", "01", "\u{1B}[2J", String(repeating: "9", count: 10_000)])
    func otherFormats(version: String) async throws {
        let problem = try await problem { file in
            file.metadata["fovea.format"] = version
            // Another format may have another architecture: that must not be what is reported.
            file.metadata[Self.architecture] = "<layers/>"
        }
        #expect(problem.contains("format") && problem.contains("the Fovea that wrote it"))
        #expect(problem.count < 300 && !problem.contains("\u{1B}"))
    }

    @Test(arguments: ["fovea.architecture", "fovea.training", "fovea.class_names"])
    func badJSON(key: String) async throws {
        for text in [
            "", "{", "nonsense", "3", "[3]", "null", "{}\u{0}", String(repeating: "[", count: 100_000),
        ] {
            let problem = try await problem { $0.metadata[key] = text }
            #expect(
                problem.hasPrefix("its metadata '\(key)' cannot be read"), "\(text.prefix(20)): \(problem)")
        }
    }

    @Test func badTraining() async throws {
        for (text, other, part) in [
            ("\"adam\"", "\"adan\"", "did you mean 'adam'"), ("\"beta1\":0.9", "\"beta1\":1.9", "beta1"),
            ("\"beta1\":0.9,", "", "beta1"), ("0.001", "-1", "learningRate"), ("0.001", "1e999", "JSON"),
            ("sparseCategoricalCrossentropy", "loss", "customTypes"),
            ("\"accuracy\"", "\"acuracy\"", "acuracy"),
        ] {
            let problem = try await problem { file in
                let json = try #require(file.metadata["fovea.training"])
                #expect(json.contains(text))
                file.metadata["fovea.training"] = json.replacingOccurrences(of: text, with: other)
            }
            #expect(problem.hasPrefix("its metadata 'fovea.training' cannot be read"))
            #expect(problem.contains(part), "\(problem)")
        }
    }

    // MARK: - Tensors

    @Test func tensorsThatDoNotFit() async throws {
        #expect(
            try await problem { $0.tensors.removeAll { $0.name == "dense/kernel" } }
                .contains("has a parameter 'dense/kernel', but there is no such tensor"))
        #expect(try await problem { $0.tensors = [] }.contains("'conv2d/kernel'"))
        #expect(
            try await problem { $0.tensors.append(("dense/gamma", TensorValue(Float(1)))) }
                .contains("tensor \"dense/gamma\" belongs to no layer"))
        #expect(
            try await problem { $0.tensors[3].name = "dense/biaz" }.contains("parameter 'dense/bias'"))
        #expect(
            try await problem { $0.tensors[3].value = try TensorValue(shape: [4], [1, 2, 3, 4]) }
                .contains("tensor 'dense/bias' is float32[4], its architecture says float32[3]"))
        // As many numbers, in another order.
        #expect(
            try await problem { $0.tensors[0].value = try $0.tensors[0].value.reshaped(to: [3, 3, 2, 1]) }
                .contains("float32[3, 3, 2, 1]"))
        #expect(
            try await problem { $0.tensors[3].value = TensorValue([1, 2, 3] as [Int32]) }
                .contains("int32[3]"))
    }

    // MARK: - Architectures

    @Test func unknownNames() async throws {
        #expect(
            try await problem(replacing: "\"Conv2D\"", by: "\"Conv2d\"").contains("did you mean 'Conv2D'"))
        #expect(try await problem(replacing: "\"Conv2D\"", by: "\"LSTM\"").contains("unknown layer 'LSTM'"))
        #expect(try await problem(replacing: "\"softmax\"", by: "\"softmaxx\"").contains("'softmax'"))
        #expect(try await problem(replacing: "\"units\"", by: "\"unit\"").contains("'units'"))
        #expect(try await problem(replacing: "GlorotUniform", by: "GlorotUniforn").contains("GlorotUniform"))
        #expect(
            try await problem(replacing: "[null,4,4,1]", by: "null").contains("no input shape"))
    }

    /// The small model has 47 numbers. Whatever sizes it claims, memory is not taken for many more.
    @Test(arguments: [
        ("\"units\":3", "\"units\":300000"), ("\"units\":3", "\"units\":100000000"),
        ("\"units\":3", "\"units\":9223372036854775807"), ("\"units\":3", "\"units\":-3"),
        ("\"units\":3", "\"units\":1e30"), ("\"filters\":2", "\"filters\":1000000"),
        ("\"filters\":2", "\"filters\":0"), ("\"filters\":2", "\"filters\":4611686018427387904"),
        ("[null,4,4,1]", "[null,20000,20000,1]"), ("[null,4,4,1]", "[null,3037000500,3037000500,1]"),
        ("[null,4,4,1]", "[null,4,4,9223372036854775807]"), ("[null,4,4,1]", "[null,0,4,1]"),
        ("[null,4,4,1]", "[null,-1,4,1]"), ("[null,4,4,1]", "[null]"), ("[null,4,4,1]", "[4,4,1]"),
        ("\"kernel_size\":[3,3]", "\"kernel_size\":[3,9223372036854775807]"),
        ("\"kernel_size\":[3,3]", "\"kernel_size\":[0,3]"), ("\"strides\":[1,1]", "\"strides\":[0,1]"),
        ("\"strides\":[1,1]", "\"strides\":[-9223372036854775808,1]"), ("\"groups\":1", "\"groups\":0"),
        ("\"dilation_rate\":[1,1]", "\"dilation_rate\":[65536,65536]"), ("\"layers\":[", "\"layers\":[3,"),
    ])
    func hostileSizes(text: String, other: String) async throws {
        let problem = try await problem(replacing: text, by: other)
        #expect(problem.hasPrefix("its architecture cannot be built: "), "\(problem)")
    }

    @Test func sizesFarFromTheFilesAreRefusedByTheirNumber() async throws {
        #expect(
            try await problem(replacing: "\"units\":3", by: "\"units\":300000").contains("exceed the limit"))
    }

    @Test(arguments: [10, 100, 400, 2_000, 50_000]) func deepNesting(depth: Int) async throws {
        let open = #"{"class_name":"Sequential","config":{"build_input_shape":null,"name":"s","layers":["#
        let layers =
            String(repeating: open, count: depth) + #"{"class_name":"Flatten","config":{"name":"f"}}"#
            + String(repeating: "]}}", count: depth)
        _ = try await problem { file in
            file.metadata[Self.architecture] =
                #"{"class_name":"Sequential","config":{"build_input_shape":[null,4],"name":"deep","layers":[\#(layers)]}}"#
        }
    }

    // MARK: - Damage

    private func sampleBytes(_ folder: String) async throws -> [UInt8] {
        let model = try Sequential(name: "tiny", input: [4, 3, 1]) {
            Conv2D(filters: 2, kernelSize: 2, activation: .relu)
            Flatten()
            Dense(units: 2)
        }
        let training = TrainingConfiguration(
            optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(fromLogits: true), metrics: [.accuracy])
        try await SavedModel(model, training: training, classNames: ["a", "b"]).write(to: folder + "/m")
        return try AtomicFile.read(folder + "/m")
    }

    @Test func everyTruncationIsSeen() async throws {
        try await inTemporaryFolder { folder in
            let bytes = try await sampleBytes(folder)
            let path = folder + "/cut.safetensors"
            for count in 1..<bytes.count {
                try Data(bytes.prefix(count)).write(to: URL(filePath: path))
                let error = await #expect(throws: SafetensorsError.self, "\(count) of \(bytes.count) bytes") {
                    try await SavedModel(contentsOf: path)
                }
                #expect(error?.file == path)
            }
            try Data().write(to: URL(filePath: path))
            await #expect(throws: ModelFileError.self) { try await SavedModel(contentsOf: path) }
        }
    }

    @Test(arguments: 0..<4) func damageEndsNoProcess(seed: UInt64) async throws {
        try await inTemporaryFolder { folder in
            let intact = try await sampleBytes(folder)
            var generator = SplitMix(state: seed)
            var loaded = 0
            for _ in 0..<400 {
                var bytes = intact
                for _ in 0..<Int.random(in: 1...2, using: &generator) {
                    let place = Int.random(in: bytes.indices, using: &generator)
                    bytes[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
                }
                try Data(bytes).write(to: URL(filePath: folder + "/damaged"))
                do {
                    let saved = try await SavedModel(contentsOf: folder + "/damaged")
                    loaded += 1
                    _ = saved.model.summary()
                    try await saved.write(to: folder + "/again")
                } catch let error as ModelFileError {
                    #expect(error.file == folder + "/damaged")
                } catch {
                    #expect(error is SafetensorsError, "\(error)")
                }
            }
            // Some bits, such as those of a class name, are not protected.
            #expect(loaded > 0 && loaded < 400)
        }
    }

    @Test func filesThatAreNoFiles() async throws {
        try await inTemporaryFolder { folder in
            for (path, code) in [
                (folder, EISDIR), (folder + "/missing", ENOENT), ("/dev/zero", ENOTSUP), ("", ENOENT),
            ] {
                let error = await #expect(throws: FileError.self) { try await SavedModel(contentsOf: path) }
                #expect(error?.path == path && error?.code == code)
            }
        }
    }
}
