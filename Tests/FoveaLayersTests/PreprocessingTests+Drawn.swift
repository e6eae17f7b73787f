import Foundation
import FoveaGraph
import Testing

@testable import FoveaLayers

extension PreprocessingTests {
    // MARK: What is drawn

    private func trained(_ layer: any Layer, _ x: TensorValue) async throws -> [[Float]] {
        let shape = Shape(Array(x.shape.dimensions.dropFirst()))
        let y = try await outputs(of: model(layer, input: shape), for: x, training: true)
        let size = y.floats.count / x.shape[0]
        return (0..<x.shape[0]).map { Array(y.floats[($0 * size)..<(($0 + 1) * size)]) }
    }

    /// The same image many times.
    private func copies(_ count: Int, _ shape: Shape, _ pixels: [Float]) throws -> TensorValue {
        try TensorValue(
            shape: Shape([count] + shape.dimensions), (0..<count).flatMap { _ in pixels })
    }

    @Test(arguments: RandomFlip.Mode.allCases) func halfAreFlipped(mode: RandomFlip.Mode) async throws {
        let x = try copies(400, [2, 3, 1], [1, 2, 3, 4, 5, 6])
        let counts = try await trained(RandomFlip(mode: mode), x).reduce(into: [[Float]: Int]()) {
            $0[$1, default: 0] += 1
        }
        let same: [Float] = [1, 2, 3, 4, 5, 6]
        let (left, top): ([Float], [Float]) = ([3, 2, 1, 6, 5, 4], [4, 5, 6, 1, 2, 3])
        switch mode {
        case .horizontal: #expect(Set(counts.keys) == [same, left])
        case .vertical: #expect(Set(counts.keys) == [same, top])
        case .horizontalAndVertical: #expect(Set(counts.keys) == [same, left, top, [6, 5, 4, 3, 2, 1]])
        }
        // Six standard deviations of the number of one of them.
        let expected = 400.0 / Double(counts.count)
        for count in counts.values { #expect(abs(Double(count) - expected) < 60) }
    }

    @Test func cropsAreEverywhere() async throws {
        let x = try copies(300, [3, 4, 1], (0..<12).map { Float($0) })
        let all = Set(try await trained(RandomCrop(height: 2, width: 2), x))
        let expected = Set(
            (0..<2).flatMap { row in
                (0..<3).map { column in [0, 1, 4, 5].map { Float(4 * row + column + $0) } }
            })
        #expect(all == expected)
        // As large as the image in one direction.
        #expect(Set(try await trained(RandomCrop(height: 3, width: 3), x)).count == 2)
        #expect(Set(try await trained(RandomCrop(height: 3, width: 4), x)) == [(0..<12).map { Float($0) }])
    }

    /// In inference, and where the image is too small, it is resized.
    @Test func cropsInInference() async throws {
        let x = try hashed(1, [2, 5, 7, 2])
        for size in [[3, 3], [6, 4], [8, 9]] {
            let crop = try model(RandomCrop(height: size[0], width: size[1]), input: [5, 7, 2])
            let resizing = try model(
                Resizing(height: size[0], width: size[1], cropToAspectRatio: true), input: [5, 7, 2])
            let expected = try await outputs(of: resizing, for: x)
            #expect(try await outputs(of: crop, for: x) == expected)
            if size != [3, 3] {
                #expect(try await outputs(of: crop, for: x, training: true) == expected)
            }
        }
    }

    @Test func amountsFillTheirRanges() async throws {
        let ramp = (0..<9).map { Float($0) / 10 }
        let x = try copies(500, [1, 9, 1], ramp)
        // In the middle of a ramp, the change of a pixel is that of the place.
        let moved = try await trained(
            RandomTranslation(heightFactor: 0, widthFactor: [-0.1, 0.3]), x
        ).map { (0.4 - $0[4]) / 0.9 }
        #expect(moved.allSatisfy { $0 > -0.1001 && $0 < 0.3001 })
        #expect(moved.contains { $0 < -0.09 } && moved.contains { $0 > 0.29 })
        let zoomed = try await trained(RandomZoom(heightFactor: [-0.5, 0.25]), x).map {
            ($0[5] - $0[4]) * 10
        }
        #expect(zoomed.allSatisfy { $0 > 0.4999 && $0 < 1.2501 })
        #expect(zoomed.contains { $0 < 0.52 } && zoomed.contains { $0 > 1.23 })
        // What is shown right of the middle was below it before it was turned counter-clockwise.
        let slope = try copies(500, [9, 9, 1], (0..<81).map { Float($0 / 9) / 10 })
        let angles = try await trained(RandomRotation(factor: [-0.05, 0.15]), slope).map {
            asin(($0[4 * 9 + 5] - $0[4 * 9 + 4]) * 10) / (2 * .pi)
        }
        #expect(angles.allSatisfy { $0 > -0.0501 && $0 < 0.1501 })
        #expect(angles.contains { $0 < -0.045 } && angles.contains { $0 > 0.145 })
        let brighter = try await trained(RandomBrightness(factor: [-0.1, 0.4]), x).map { $0[4] - 0.4 }
        #expect(brighter.allSatisfy { $0 > -0.1001 && $0 < 0.4001 })
        #expect(brighter.contains { $0 < -0.09 } && brighter.contains { $0 > 0.39 })
        let contrasts = try await trained(RandomContrast(lower: 0.75, upper: 0.25), x).map {
            ($0[5] - $0[4]) * 10
        }
        #expect(contrasts.allSatisfy { $0 > 0.2499 && $0 < 1.2501 })
        #expect(contrasts.contains { $0 < 0.27 } && contrasts.contains { $0 > 1.23 })
    }

    @Test func slantsFillTheirRanges() async throws {
        let ramp = try copies(500, [9, 9, 1], (0..<81).map { Float($0 % 9) / 10 })
        // A slanted row is moved by its number, to both sides alike.
        let amounts = try await trained(RandomShear(xFactor: [0.1, 0.4]), ramp).map {
            ($0[4 * 9 + 4] - 0.4) * 10 / 4
        }
        #expect(amounts.allSatisfy { abs($0) > 0.0999 && abs($0) < 0.4001 })
        #expect(amounts.contains { $0 < -0.38 } && amounts.contains { $0 > 0.38 })
        #expect(amounts.contains { abs($0) < 0.12 })
        let lefts = amounts.count { $0 < 0 }
        #expect(abs(lefts - 250) < 68)
    }

    @Test func huesAndSaturationsFillTheirRanges() async throws {
        // Red becomes orange or pink, by up to two sixths of the circle of which one adds a whole channel.
        let red = try copies(500, [1, 1, 3], [1, 0, 0])
        let hues = try await trained(RandomHue(factor: 0...0.25), red).map { $0[1] - $0[2] }
        #expect(hues.allSatisfy { abs($0) < 0.7501 })
        #expect(hues.contains { $0 < -0.7 } && hues.contains { $0 > 0.7 })
        let pale = try copies(500, [1, 1, 3], [0.5, 0.4, 0.4])
        let strengths = try await trained(RandomSaturation(factor: 0.25...0.6), pale).map {
            ($0[0] - $0[1]) * 10
        }
        #expect(strengths.allSatisfy { $0 > 0.333 && $0 < 1.5001 })
        #expect(strengths.contains { $0 < 0.36 } && strengths.contains { $0 > 1.44 })
        // Grey stays as it is.
        let grey = try hashed(1, [3, 4, 2, 1])
        for layer: any Layer in [RandomHue(factor: 0...1), RandomSaturation(factor: 0...1)] {
            #expect(try await outputs(of: model(layer, input: [4, 2, 1]), for: grey, training: true) == grey)
        }
    }

    @Test func erasedPartsAreEverywhere() async throws {
        let x = try copies(400, [6, 8, 2], [Float](repeating: 2, count: 96))
        func hidden(_ layer: RandomErasing) async throws -> [[Int]] {
            try await trained(layer, x).map { image in image.indices.filter { image[$0] != 2 } }
        }
        let sure = try await hidden(
            RandomErasing(factor: 1...1, scale: 0.25...0.25, fillValue: 1, valueRange: 0...2))
        // Half as high and wide as the image; both channels, and each pixel at some time.
        #expect(sure.allSatisfy { $0.count == 3 * 4 * 2 })
        #expect(Set(sure.joined()).count == 96)
        let never = try await hidden(RandomErasing(factor: 0...0, valueRange: 0...2))
        #expect(never.allSatisfy { $0.isEmpty })
        let half = try await hidden(RandomErasing(scale: 0.5...0.5, fillValue: 1, valueRange: 0...2))
        let count = half.count { !$0.isEmpty }
        #expect(abs(count - 200) < 60)
        let values = try await trained(RandomErasing(factor: 1...1, scale: 1...1, valueRange: -1...0.5), x)
            .flatMap { $0 }
        // Noise of deviation 0.5 that is kept inside its range: about one in six is its upper end.
        #expect(values.allSatisfy { $0 >= -1 && $0 <= 0.5 })
        let ends = (low: values.count { $0 == -1 }, high: values.count { $0 == 0.5 })
        #expect(abs(Double(ends.high) / Double(values.count) - 0.1587) < 0.01)
        #expect(abs(Double(ends.low) / Double(values.count) - 0.0228) < 0.005)
    }

    @Test func channelsFirst() async throws {
        let last = try hashed(1, [2, 4, 5, 3])
        let first = try await evaluate(
            Tensor.input("x", [4, 5, 3]).transposed([0, 3, 1, 2]), feeds: ["x": last], batch: 2)
        let format = DataFormat.channelsFirst
        for (ours, theirs) in [
            (RandomFlip(), RandomFlip(dataFormat: format)),
            (
                RandomTranslation(heightFactor: 0.3, widthFactor: 0.3),
                RandomTranslation(heightFactor: 0.3, widthFactor: 0.3, dataFormat: format)
            ),
            (RandomErasing(factor: 1...1), RandomErasing(factor: 1...1, dataFormat: format)),
            (RandomHue(factor: 0.5...1), RandomHue(factor: 0.5...1, dataFormat: format)),
            (RandomSaturation(factor: 0...1), RandomSaturation(factor: 0...1, dataFormat: format)),
            (RandomShear(xFactor: 0.3), RandomShear(xFactor: 0.3, dataFormat: format)),
            (RandomRotation(factor: 0.3), RandomRotation(factor: 0.3, dataFormat: format)),
            (RandomZoom(heightFactor: 0.3), RandomZoom(heightFactor: 0.3, dataFormat: format)),
            (RandomContrast(factor: 0.3), RandomContrast(factor: 0.3, dataFormat: format)),
            (RandomBrightness(factor: 0.3), RandomBrightness(factor: 0.3, dataFormat: format)),
            (RandomCrop(height: 2, width: 3), RandomCrop(height: 2, width: 3, dataFormat: format)),
            (CenterCrop(height: 2, width: 3), CenterCrop(height: 2, width: 3, dataFormat: format)),
            (Resizing(height: 2, width: 7), Resizing(height: 2, width: 7, dataFormat: format)),
        ] as [(any Layer, any Layer)] {
            let y = try await outputs(of: model(ours, input: [4, 5, 3]), for: last, training: true)
            let z = try await outputs(of: model(theirs, input: [3, 4, 5]), for: first, training: true)
            let back = try await evaluate(
                Tensor.input("x", Shape(Array(z.shape.dimensions.dropFirst()))).transposed([0, 2, 3, 1]),
                feeds: ["x": z], batch: 2)
            #expect(back.shape == y.shape && difference(back.floats, y.doubles) < 1e-6)
        }
    }

    // MARK: Refusals and files

    @Test func hostileArguments() throws {
        func refuse(_ layer: any Layer, _ shape: Shape = [4, 5, 3]) {
            #expect(throws: ShapeError.self) { try model(layer, input: shape) }
        }
        for number in [Double.nan, .infinity, 1.5, -1.5] {
            for factor in [RandomFactor(number, 0.5), RandomFactor(-0.5, number)] {
                refuse(RandomTranslation(heightFactor: factor, widthFactor: 0))
                refuse(RandomTranslation(heightFactor: 0, widthFactor: factor))
                refuse(RandomRotation(factor: factor))
                refuse(RandomShear(xFactor: factor))
                refuse(RandomShear(yFactor: factor))
                refuse(RandomZoom(heightFactor: factor))
                refuse(RandomZoom(heightFactor: 0, widthFactor: factor))
                refuse(RandomBrightness(factor: factor))
            }
            refuse(RandomContrast(factor: number))
            refuse(RandomContrast(lower: 0, upper: number))
        }
        for range in [0...0, 0...Double.infinity, -3e38...3e38] {
            refuse(RandomContrast(factor: 0.5, valueRange: range))
            refuse(RandomErasing(valueRange: range))
            refuse(RandomSaturation(factor: 0...1, valueRange: range))
            refuse(RandomBrightness(factor: 0.5, valueRange: range))
        }
        refuse(RandomTranslation(heightFactor: [0.5, -0.5], widthFactor: 0))
        refuse(RandomZoom(heightFactor: [-1, 0]))
        for fill in [Double.nan, .infinity, 1e300] {
            refuse(
                RandomTranslation(heightFactor: 0, widthFactor: 0, fillMode: .constant, fillValue: fill))
            refuse(RandomRotation(factor: 0, fillValue: fill))
            refuse(RandomShear(fillValue: fill))
            refuse(RandomErasing(fillValue: fill))
            refuse(RandomZoom(heightFactor: 0, fillValue: fill))
        }
        refuse(RandomRotation(factor: 0), [1 << 16, 1 << 15, 1])
        refuse(RandomRotation(factor: 0), [1, 1 << 25, 1])
        refuse(RandomShear(), [1, 1 << 25, 1])
        for range in [-0.1...0.5, 0.5...1.1] {
            refuse(RandomErasing(factor: range))
            refuse(RandomErasing(scale: range))
            refuse(RandomHue(factor: range))
            refuse(RandomSaturation(factor: range))
        }
        refuse(RandomHue(factor: 0...1), [4, 5, 2])
        refuse(RandomSaturation(factor: 0...1), [4, 5, 4])
        for size in [0, -1, 65_537, Int.max] {
            refuse(Resizing(height: size, width: 2))
            refuse(Resizing(height: 2, width: size))
            refuse(CenterCrop(height: size, width: 2))
            refuse(RandomCrop(height: 2, width: size))
        }
        for layer: any Layer in [
            RandomFlip(), RandomZoom(heightFactor: 0), RandomContrast(factor: 0),
            Resizing(height: 2, width: 2),
        ] {
            refuse(layer, [5])
            refuse(layer, [4, 5])
        }
    }

    @Test func configurationsWithAWidth() throws {
        let zoom = RandomZoom(heightFactor: 0.5, widthFactor: [-0.25, 0.125], fillMode: .wrap)
        #expect(zoom.configuration["width_factor"] == [.number(-0.25), .number(0.125)])
        var reader = ConfigurationReader(zoom.configuration, owner: "RandomZoom", layerTypes: [])
        let copy = try RandomZoom(name: nil, configuration: &reader)
        try reader.finish()
        #expect(copy.widthFactor == zoom.widthFactor && copy.configuration == zoom.configuration)
        var settings = zoom.configuration
        settings["height_factor"] = [.number(0.5)]
        var short = ConfigurationReader(settings, owner: "RandomZoom", layerTypes: [])
        let error = #expect(throws: ConfigurationError.self) {
            try RandomZoom(name: nil, configuration: &short)
        }
        #expect(error?.key == "height_factor")
        let brightness = RandomBrightness(factor: 0.5, valueRange: -1...3)
        for range: [Double] in [[], [1], [3, -1], [.nan, 1], [0, .nan]] {
            var settings = brightness.configuration
            settings["value_range"] = .list(range.map { .number($0) })
            var reader = ConfigurationReader(settings, owner: "RandomBrightness", layerTypes: [])
            #expect(throws: ConfigurationError.self) {
                try RandomBrightness(name: nil, configuration: &reader)
            }
        }
    }
}
