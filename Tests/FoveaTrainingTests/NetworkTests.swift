import FoveaGraph
import FoveaModels
import FoveaOneDNN
import FoveaRuntime
import FoveaTraining
import Testing

/// Loss, outputs and every weight's gradient of the measured networks against Keras in float64.
struct NetworkTests {
    private struct Recipe: Decodable {
        let valueStream1Scale: [Float]
        let unitStream0: [Float]

        private enum CodingKeys: String, CodingKey {
            case valueStream1Scale = "valueStream1Scale0.05"
            case unitStream0
        }
    }

    private struct Weight: Decodable {
        let name: String
        let shape: [Int]
        let norm, dot: Double
        /// Index and gradient.
        let samples: [[Double]]
    }

    private struct Record: Decodable {
        let name: String
        let inputStream: Int
        let inputShape: [Int]
        let labels: [Int32]
        let loss: Double
        let outputShape: [Int]
        let outputs: [Double]
        let weights: [Weight]
    }

    private struct Records: Decodable {
        let recipe: Recipe
        let networks: [Record]
    }

    @Test func theRecipeForNumbersIsTheGoldenFiles() throws {
        let recipe = try golden("networks", as: Records.self).recipe
        #expect((0..<4).map { HashedValues.value(stream: 1, $0, scale: 0.05) } == recipe.valueStream1Scale)
        #expect((0..<4).map { HashedValues.unit(stream: 0, $0) } == recipe.unitStream0)
    }

    /// The reference backend is too slow for the larger ones.
    @Test(arguments: [NamedNetwork.softmaxRegression, .singleConv, .mnistCNN, .fashionCNN])
    func referenceAgreesWithKeras(_ network: NamedNetwork) async throws {
        try await expectAgreement(of: network, on: ReferenceBackend(), tolerance: 1e-5)
    }

    @Test(arguments: NamedNetwork.measured)
    func cpuAgreesWithKeras(_ network: NamedNetwork) async throws {
        try await expectAgreement(of: network, on: OneDNNBackend(precision: .strict), tolerance: 1e-4)
        try await expectAgreement(of: network, on: OneDNNBackend(), tolerance: 1e-3)
    }

    /// Rounded numbers let other elements win poolings, so single elements of gradients mean little; their lengths stay.
    @Test(arguments: NamedNetwork.measured)
    func mixedPrecisionAgreesWithKeras(_ network: NamedNetwork) async throws {
        try await expectAgreement(
            of: network, on: OneDNNBackend(precision: .mixedBFloat16), tolerance: 1e-1,
            comparesElements: false)
    }

    /// Rebuilds what went into a golden record, runs it on a backend and compares what came out.
    private func expectAgreement(
        of network: NamedNetwork, on backend: any Backend, tolerance: Double, comparesElements: Bool = true
    ) async throws {
        let record = try #require(
            golden("networks", as: Records.self).networks.first { $0.name == network.rawValue })
        let model = try network.model()
        let variables = model.trainableParameters.compactMap(\.parameter.variable)
        #expect(variables.map(\.name) == record.weights.map(\.name))
        #expect(variables.map(\.shape.dimensions) == record.weights.map(\.shape))

        let images = Tensor.input("images", try model.inputShape)
        let labels = Tensor.input("labels", .scalar, .int32)
        let predictions = try model(images)
        let lossFunction: any Loss =
            switch network.output {
            case .classProbabilities: .sparseCategoricalCrossentropy()
            case .classLogits: .sparseCategoricalCrossentropy(fromLogits: true)
            case .binaryProbability: .binaryCrossentropy()
            }
        let loss = try lossFunction(targets: labels, predictions: predictions).mean()
        let gradients = try gradient(of: loss, withRespectTo: variables.map { Tensor($0) })

        let batch = record.labels.count
        let inputShape = Shape([batch] + (try model.inputShape.dimensions))
        let pixels = (0..<inputShape.elementCount).map { HashedValues.unit(stream: record.inputStream, $0) }
        let results = try await Compute.run {
            for (k, variable) in variables.enumerated() {
                try variable.assign(HashedValues.weight(k, shape: variable.shape))
            }
            let executable = try backend.compile(
                outputs: [loss, predictions] + gradients, mode: .inference, batch: batch)
            return try executable.run([
                "images": TensorValue(shape: inputShape, pixels), "labels": TensorValue(record.labels),
            ])
        }

        expectClose(results[0].floats, [record.loss], tolerance, "\(network) loss")
        #expect(results[1].shape.dimensions == record.outputShape)
        expectClose(results[1].floats, record.outputs, tolerance, "\(network) outputs")
        for (k, weight) in record.weights.enumerated() {
            let found = results[2 + k].doubles
            let norm = found.reduce(0) { $0 + $1 * $1 }.squareRoot()
            var dot = 0.0
            for (i, element) in found.enumerated() {
                dot += element * Double(HashedValues.value(stream: 1000 + k, i, scale: 1))
            }
            #expect(abs(norm - weight.norm) <= tolerance * weight.norm, "\(network) \(weight.name)")
            guard comparesElements else { continue }
            #expect(abs(dot - weight.dot) <= tolerance * weight.norm * 10, "\(network) \(weight.name)")
            // The largest come first, and samples are of their size.
            let largest = abs(weight.samples[0][1])
            for sample in weight.samples {
                let index = Int(sample[0])
                #expect(
                    abs(found[index] - sample[1]) <= tolerance * largest,
                    "\(network) \(weight.name)[\(index)]")
            }
        }
    }
}

/// Numbers from an integer hash, as `Golden/hashed_values.py` makes them.
enum HashedValues {
    static func splitmix64(_ x: UInt64) -> UInt64 {
        var z = x &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    private static func fraction(stream: Int, _ i: Int) -> Double {
        Double(splitmix64(UInt64(stream) << 32 + UInt64(i)) >> 40) / 0x1p24
    }

    static func value(stream: Int, _ i: Int, scale: Float) -> Float {
        Float((fraction(stream: stream, i) * 2 - 1) * Double(scale))
    }

    static func unit(stream: Int, _ i: Int) -> Float { Float(fraction(stream: stream, i)) }

    /// The value of the k-th weight: kernels scaled as by Glorot, biases by 0.05.
    static func weight(_ k: Int, shape: Shape) throws -> TensorValue {
        var scale: Float = 0.05
        if shape.rank > 1 {
            let window = shape.dimensions.dropLast(2).reduce(1, *)
            let fans = window * (shape[shape.rank - 2] + shape[shape.rank - 1])
            scale = Float((6 / Double(fans)).squareRoot())
        }
        return try TensorValue(
            shape: shape, (0..<shape.elementCount).map { value(stream: k + 1, $0, scale: scale) })
    }
}
