import FoveaGraph
import FoveaLayers
import FoveaModels
import FoveaOneDNN
import FoveaRuntime
import Testing

/// Parameter counts and outputs of published networks against Keras, torchvision and timm in float64; Golden/make_networks.py
/// makes the file.
@Suite struct NetworkGoldenTests {
    struct Golden: Decodable {
        let counts: [Count]
        let numbers: [Record]
    }

    struct Count: Decodable {
        let name: String
        let learned, others: Int
    }

    struct Record: Decodable {
        let name: String
        let input: [Int]
        let gamma: Float
        /// The first of each image.
        let features: [Double]
        let probabilities: [Double]
    }

    @Test func countsAreThePublished() throws {
        let counts = try golden("networks", as: Golden.self).counts
        #expect(counts.count == 13)
        for count in counts {
            let network = try NamedNetwork.named(count.name)
            let model = try network.model()
            let learned = model.trainableParameterCount
            let all = model.parameterCount
            #expect(learned == count.learned && all - learned == count.others, "\(count.name)")
            #expect(
                try model.inputShape == network.inputShape && model.outputShape == [1000], "\(count.name)")
        }
    }

    @Test(arguments: 0..<15) func strict(number: Int) async throws {
        try await compare(number, on: OneDNNBackend(precision: .strict), tolerance: 1e-5)
    }

    @Test(arguments: 0..<15) func float32(number: Int) async throws {
        try await compare(number, on: OneDNNBackend(), tolerance: 1e-3)
    }

    private func compare(_ number: Int, on backend: any Backend, tolerance: Double) async throws {
        let record = try golden("networks", as: Golden.self).numbers[number]
        let network = try NamedNetwork.named(record.name)
        let input = Shape(record.input)
        let base = try network.model(input: input, includeTop: false, pooling: .average)
        let whole = try network.model(input: input, classes: 5)
        // A prime, so that rows and filters differ.
        let tile = try hashed(9, [8191]).floats
        for model in [base, whole] {
            for (path, parameter) in model.parameters {
                try await setTiledValue(of: parameter, path, tile, gamma: record.gamma)
            }
        }
        let images = Tensor.input("images", input)
        let x = try twoImages(input)
        let results = try await Compute.run {
            try backend.compile(outputs: [base(images), whole(images)], mode: .inference, batch: 2)
                .run(["images": x])
        }
        let (features, count) = (results[0].floats, record.features.count / 2)
        let first = [0, features.count / 2].flatMap { features[$0..<$0 + count] }
        #expect(difference(first, record.features) < tolerance, "\(record.name) of \(input): features")
        #expect(
            difference(results[1].floats, record.probabilities) < tolerance,
            "\(record.name) of \(input): probabilities")
    }

    /// Each channel of each with a mean of its own.
    private func twoImages(_ shape: Shape) throws -> TensorValue {
        let shape = Shape([2] + shape.dimensions)
        let offsets = try hashed(3, [2, 3]).floats
        var numbers = try hashed(2, shape).floats
        for index in numbers.indices {
            let image = index / (numbers.count / 2)
            numbers[index] += offsets[image * 3 + index % 3]
        }
        return try TensorValue(shape: shape, numbers)
    }

    /// The value that the script gives a parameter.
    private func setTiledValue(of parameter: Parameter, _ path: String, _ tile: [Float], gamma: Float)
        async throws
    {
        let shape = try #require(parameter.variable?.shape)
        let (center, scale): (Float, Float) =
            switch parameter.name {
            case "kernel": (0, (6 / inputsOfAnOutput(shape)).squareRoot())
            case "gamma": (gamma, gamma / 4)
            case "moving_variance": (1, 0.25)
            default: (0, 0.125)
            }
        let hash = path.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let start = Int(hash) % tile.count
        let scaled = (tile[start...] + tile[..<start]).map { center + scale * $0 }
        var values: [Float] = []
        values.reserveCapacity(shape.elementCount)
        while values.count < shape.elementCount {
            values.append(contentsOf: scaled.prefix(shape.elementCount - values.count))
        }
        try await set(parameter, values)
    }

    /// Depthwise kernels end with a multiplier of 1.
    private func inputsOfAnOutput(_ kernel: Shape) -> Float {
        let isDepthwise = kernel.rank == 4 && kernel[3] == 1
        return Float(kernel.dimensions.prefix(isDepthwise ? 2 : kernel.rank - 1).reduce(1, *))
    }
}
