import Foundation
import FoveaGraph
import FoveaLayers
import FoveaSignal
import FoveaVisualization
import Testing

@Suite struct ConvolutionFigureTests {
    let image: TensorValue
    let steps: ConvolutionSteps

    init() throws {
        image = try TensorValue(
            shape: [5, 6], (0..<30).map { ($0 / 6 > 0 && $0 / 6 < 4 && $0 % 6 > 1) ? 1 : 0 })
        steps = try ConvolutionSteps(image: image, kernel: Kernels.edgeDetection, mode: .same)
    }

    /// The texts of a document; a number is written for each cell that has one.
    private func texts(_ figure: Figure) throws -> Int {
        let document = String(decoding: try figure.encoded(as: .svg), as: UTF8.self)
        return document.components(separatedBy: "<use ").count - 1
    }

    @Test func theOutputGrowsFromStepToStep() throws {
        let counts = try [0, 15, 29].map { try texts(steps.plot(step: $0, image: image)) }
        #expect(counts[0] < counts[1] && counts[1] < counts[2])
    }

    @Test func everyStepIsDrawnAlsoWhereTheWindowIsOutside() throws {
        for step in steps.steps.indices {
            let figure = try steps.plot(step: step, image: image)
            #expect(figure.panels.count == 4)
            _ = try figure.encoded(as: .pdf)
        }
    }

    @Test func animationsHaveAFrameForEachStepOrFewer() throws {
        #expect(try steps.animation(of: image, dpi: 20).frames.count == 30)
        let short = try steps.animation(of: image, frames: 7, dpi: 20)
        #expect(short.frames.count == 7)
        #expect(try short.frames.last == steps.plot(step: 29, image: image).atDPI(20).picture())
    }

    @Test func poolingsAreDrawnToo() throws {
        let pooling = try PoolingSteps(image: image, kind: .max, poolSize: 2)
        #expect(try pooling.animation(of: image, dpi: 20).frames.count == 6)
        #expect(try pooling.plot(step: 5, image: image).panels.count == 3)
        #expect(throws: VisualizationError.self) { try pooling.plot(step: 6, image: image) }
    }

    @Test func stepsThatThereAreNotAndOtherImagesAreRefused() throws {
        #expect(throws: VisualizationError.self) { try steps.plot(step: 30, image: image) }
        #expect(throws: VisualizationError.self) { try steps.plot(step: -1, image: image) }
        #expect(throws: VisualizationError.self) {
            try steps.plot(step: 0, image: TensorValue(repeating: 0, shape: [5, 6, 1]))
        }
    }

    @Test func filtersOfModelsAreFound() async throws {
        let base = try Sequential(name: "base", input: [8, 8, 3], seed: 1) {
            DepthwiseConv2D(kernelSize: 3, depthMultiplier: 2, name: "depth")
            Conv2D(filters: 4, kernelSize: 1, name: "point")
        }
        let model = try Sequential(input: [8, 8, 3], seed: 2) {
            base
            Flatten()
            Dense(units: 2, name: "head")
        }
        let first = try await model.filters()
        #expect(first.layer == "base/depth" && first.kernel.shape == [3, 3, 1, 6])
        #expect(try await model.filters(of: "base/point").kernel.shape == [1, 1, 6, 4])
        func message(_ path: String?, _ model: any ModelProtocol) async -> String {
            do { return try await model.filters(of: path).layer } catch { return "\(error)" }
        }
        #expect(await message("base/piont", model).contains("did you mean 'base/point'"))
        #expect(await message("head", model).contains("'head', a Dense, but must be a Conv2D"))
        #expect(await message("head", model).contains("such as 'base/depth'"))
        let plain = try Sequential(name: "plain", input: [4]) { Dense(units: 2) }
        #expect(await message(nil, plain).contains("'plain' has no convolution"))
    }

    @Test func kernelsOfOneColourAndOfNaNAreDrawn() throws {
        let kernels = [
            ("edges", Kernels.edgeDetection), ("zeros", TensorValue(repeating: 0, shape: [2, 3])),
            ("NaN", TensorValue(repeating: .nan, shape: [1, 1])),
        ]
        #expect(throws: VisualizationError.self) { try Figure.kernels([]) }
        #expect(throws: VisualizationError.self) {
            try Figure.kernels([("row", TensorValue(repeating: 0, shape: [3]))])
        }
        _ = try Figure.kernels(Array(kernels.prefix(2))).encoded(as: .svg)
    }

    @Test(arguments: [1, 3, 5])
    func filtersOfALayerAreDrawn(_ channels: Int) throws {
        let kernel = try TensorValue(
            shape: [3, 2, channels, 7], (0..<42 * channels).map { Float($0 % 11) - 5 })
        let figure = try Figure.filters(of: kernel, limit: 6)
        #expect(figure.panels[0].title == "6 of 7 filters, 3×2")
        _ = try figure.encoded(as: .png)
        #expect(throws: VisualizationError.self) { try Figure.filters(of: image) }
    }

    @Test func aFilterBankHasARowForEachKernel() async throws {
        let bank = try gaborBank(frequencies: [0.1, 0.4], orientations: 2, sigmas: [1])
        let figure = try await Figure.filterBank(
            images: [("a", image), ("blank", TensorValue(repeating: 1, shape: [4, 4]))], kernels: bank)
        #expect(figure.panels.count == 3 * 5)
        _ = try figure.encoded(as: .png)
        _ = try Figure.gaborKernel(bank[3]).encoded(as: .svg)
    }
}

extension Figure {
    fileprivate func atDPI(_ dpi: Double) -> Figure {
        var figure = self
        figure.dpi = dpi
        return figure
    }
}
