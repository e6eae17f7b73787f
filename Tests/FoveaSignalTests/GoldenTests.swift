import Foundation
import FoveaGraph
import FoveaSignal
import Testing

/// Comparison with numbers that NumPy, SciPy and scikit-image computed in float64; Golden/make_signal.py makes the file.
@Suite struct GoldenTests {
    struct Golden: Decodable {
        let convolve1d: [Case1D]
        let convolve2d: [Case2D]
        let ndimage: [ImageCase]
        let kernels: [KernelCase]
        let gaussian: [GaussianCase]
        let gabor: [GaborCase]
        let responses: Responses
    }

    struct Case1D: Decodable {
        let signal: Int
        let kernel: Int
        let stride: Int
        let padding: Int
        let mode: String
        let method: String
        let output: [Double]
    }

    struct Case2D: Decodable {
        let image: [Int]
        let kernel: [Int]
        let stride: [Int]
        let padding: [Int]
        let mode: String
        let method: String
        let boundary: String
        let fill: Float
        let shape: [Int]
        let output: [Double]
    }

    struct ImageCase: Decodable {
        let image: [Int]
        let kernel: [Int]
        let boundary: String
        let fill: Float
        let output: [Double]
    }

    struct KernelCase: Decodable {
        let name: String
        let scale: Double
        let weights: [Double]
    }

    struct GaussianCase: Decodable {
        let size: [Int]
        let sigma: Double
        let weights: [Double]
    }

    struct GaborCase: Decodable {
        struct Arguments: Decodable {
            let frequency: Double
            let theta: Double?
            let bandwidth: Double?
            let sigmaX: Double?
            let sigmaY: Double?
            let nStds: Double?
            let offset: Double?
        }
        let arguments: Arguments
        let shape: [Int]
        let real: [Double]
        let imaginary: [Double]
    }

    struct Responses: Decodable {
        struct Reflect: Decodable {
            let frequency: Double
            let theta: Double
            let real: [Double]
            let imaginary: [Double]
        }
        let shape: [Int]
        let added: Float
        let frequencies: [Double]
        let orientations: Int
        let sigmas: [Double]
        let magnitude: [Double]
        let reflect: Reflect
    }

    private let golden: Golden
    private let tolerance = 1e-5

    init() throws {
        let url = try #require(
            Bundle.module.url(forResource: "signal", withExtension: "json", subdirectory: "Golden"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        golden = try decoder.decode(Golden.self, from: Data(contentsOf: url))
    }

    @Test func convolutionsOfSignals() async throws {
        #expect(golden.convolve1d.count >= 60)
        for record in golden.convolve1d {
            let mode = try #require(ConvolutionMode(rawValue: record.mode))
            let result = try await convolution1D(
                hashed(1, [record.signal]), hashed(2, [record.kernel]), mode: mode, stride: record.stride,
                padding: record.padding, method: try #require(ConvolutionMethod(rawValue: record.method)))
            #expect(difference(result, record.output) < tolerance, "\(record)")
            let count = try convolutionOutputSize(
                input: record.signal, kernel: record.kernel, stride: record.stride, padding: record.padding,
                mode: mode)
            #expect(result.shape == [count], "\(record)")
        }
    }

    @Test func convolutionsOfImages() async throws {
        #expect(golden.convolve2d.count >= 40)
        for record in golden.convolve2d {
            let (image, kernel) = try (hashed(1, Shape(record.image)), hashed(2, Shape(record.kernel)))
            let mode = try #require(ConvolutionMode(rawValue: record.mode))
            let method = try #require(ConvolutionMethod(rawValue: record.method))
            let boundary = try boundary(record.boundary, record.fill)
            let (stride, padding) = (size(record.stride), size(record.padding))
            let result = try await convolution2D(
                image, kernel, mode: mode, stride: stride, padding: padding, method: method,
                boundary: boundary)
            #expect(result.shape == Shape(record.shape), "\(record)")
            #expect(difference(result, record.output) < tolerance, "\(record)")

            let steps = try ConvolutionSteps(
                image: image, kernel: kernel, mode: mode, stride: stride, padding: padding, method: method,
                boundary: boundary)
            #expect(steps.output.shape == Shape(record.shape), "\(record)")
            #expect(difference(steps.output, record.output) < tolerance, "steps of \(record)")
        }
    }

    @Test func boundaries() async throws {
        #expect(Set(golden.ndimage.map(\.boundary)) == ["constant", "wrap", "reflect", "nearest"])
        for record in golden.ndimage {
            let result = try await convolution2D(
                hashed(1, Shape(record.image)), hashed(2, Shape(record.kernel)), mode: .same,
                boundary: boundary(record.boundary, record.fill))
            #expect(difference(result, record.output) < tolerance, "\(record)")
        }
    }

    @Test func knownKernels() throws {
        let known = [
            "sobelHorizontal": Kernels.sobelHorizontal, "sobelVertical": Kernels.sobelVertical,
            "prewittHorizontal": Kernels.prewittHorizontal, "prewittVertical": Kernels.prewittVertical,
            "scharrHorizontal": Kernels.scharrHorizontal, "scharrVertical": Kernels.scharrVertical,
            "laplacian": Kernels.laplacian, "edgeDetection": Kernels.edgeDetection,
            "sharpen": Kernels.sharpen, "boxBlur": try Kernels.boxBlur(size: 3),
        ]
        #expect(Set(golden.kernels.map(\.name)) == Set(known.keys))
        for record in golden.kernels {
            let kernel = try #require(known[record.name])
            #expect(kernel.shape == [3, 3])
            #expect(difference(kernel, record.weights.map { $0 * record.scale }) < 1e-7, "\(record.name)")
        }
    }

    @Test func gaussians() throws {
        for record in golden.gaussian {
            let kernel = try Kernels.gaussian(size: size(record.size), sigma: record.sigma)
            #expect(kernel.shape == Shape(record.size))
            #expect(difference(kernel, record.weights) < 1e-7, "\(record)")
            if record.size[0] == 1 {
                let line = try Kernels.gaussian(length: record.size[1], sigma: record.sigma)
                #expect(line.floats == kernel.floats && line.shape == [record.size[1]])
            }
        }
    }

    @Test func gaborKernels() throws {
        for record in golden.gabor {
            let given = record.arguments
            let kernel = try gaborKernel(
                frequency: given.frequency, theta: given.theta ?? 0, bandwidth: given.bandwidth ?? 1,
                sigmaX: given.sigmaX, sigmaY: given.sigmaY, nStds: given.nStds ?? 3, offset: given.offset ?? 0
            )
            #expect(kernel.real.shape == Shape(record.shape), "\(given)")
            #expect(kernel.imaginary.shape == Shape(record.shape), "\(given)")
            #expect(difference(kernel.real, record.real) < 1e-6, "\(given)")
            #expect(difference(kernel.imaginary, record.imaginary) < 1e-6, "\(given)")
        }
    }

    @Test func responsesOfAGaborBank() async throws {
        let record = golden.responses
        let image = try TensorValue(
            shape: Shape(record.shape), hashed(1, Shape(record.shape)).floats.map { $0 + record.added })
        let bank = try gaborBank(
            frequencies: record.frequencies, orientations: record.orientations, sigmas: record.sigmas)
        let input = Tensor.argument("x", image.shape)
        let response = try await filterBankResponse(input, bank).evaluated(["x": image])
        #expect(response.shape == Shape(record.shape + [bank.count]))
        #expect(difference(response, record.magnitude) < tolerance)

        let kernel = try gaborKernel(frequency: record.reflect.frequency, theta: record.reflect.theta)
        for (part, expected) in [
            (kernel.real, record.reflect.real), (kernel.imaginary, record.reflect.imaginary),
        ] {
            let filtered = try await convolution2D(image, part, mode: .same, boundary: .reflect)
            #expect(difference(filtered, expected) < tolerance)
        }
        let magnitude = try await filterBankResponse(
            input, [kernel], normalizesImage: false, boundary: .reflect
        ).evaluated(["x": image])
        let parts = zip(record.reflect.real, record.reflect.imaginary)
        #expect(difference(magnitude, parts.map { ($0 * $0 + $1 * $1).squareRoot() }) < tolerance)
    }

    private func size(_ extents: [Int]) -> Size2D { Size2D(extents[0], extents[1]) }

    private func boundary(_ name: String, _ fill: Float) throws -> Boundary {
        let known: [String: Boundary] = [
            "constant": .constant(fill), "wrap": .wrap, "reflect": .reflect, "nearest": .nearest,
        ]
        return try #require(known[name])
    }
}
