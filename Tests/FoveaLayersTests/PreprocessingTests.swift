import Foundation
import FoveaGraph
import FoveaPlanner
import FoveaRuntime
import Testing

@testable import FoveaLayers

/// Layers that change images: their formulas against Keras's, given what they would draw
/// (Golden/make_preprocessing_layers.py makes the file), and what they draw.
@Suite struct PreprocessingTests {
    struct Golden: Decodable {
        let fillValue: Double
        let placements: [Placement]
        let rotations: [Rotation]
        let colors: [Color]
        let sizes: [Size]
    }

    struct Placement: Decodable {
        let layer: String
        let shape: [Int]
        let mode: String
        let interpolation: String
        let rows: [Float]
        let columns: [Float]
        let output: [Double]
    }

    struct Rotation: Decodable {
        let shape: [Int]
        let mode: String
        let interpolation: String
        let turns: [Float]
        let output: [Double]
    }

    struct Color: Decodable {
        let layer: String
        let shape: [Int]
        let amounts: [Float]
        let valueRange: [Double]
        let output: [Double]
    }

    struct Size: Decodable {
        let layer: String
        let shape: [Int]
        let size: [Int]
        let interpolation: String
        let crop: Bool
        let output: [Double]
    }

    let golden: Golden

    init() throws { golden = try FoveaLayersTests.golden("preprocessing_layers", as: Golden.self) }

    private static let backends: [any Backend] = [ReferenceBackend(), OneDNNBackend()]

    /// Compares a graph of the images `x` with what it should be, on both backends.
    private func expect(
        _ y: Tensor, _ shape: [Int], _ output: [Double], within tolerance: Double, _ what: String
    ) async throws {
        let x = try hashed(1, Shape(shape))
        let values = try await Compute.run {
            try Self.backends.map {
                try $0.compile(outputs: [y], mode: .inference, batch: shape[0]).run(["x": x])[0]
            }
        }
        for value in values { #expect(difference(value.floats, output) < tolerance, "\(what)") }
    }

    @Test func placesAreThoseOfKeras() async throws {
        #expect(golden.placements.count == 16)
        for row in golden.placements {
            let mode = try #require(FillMode(rawValue: row.mode))
            let interpolation = try #require(Interpolation(rawValue: row.interpolation))
            let rows = Tensor.constant(try TensorValue(shape: [row.rows.count, 1], row.rows))
            let columns = Tensor.constant(try TensorValue(shape: [row.columns.count, 1], row.columns))
            // The batch is known here, because what would be drawn is constant.
            let x = Tensor.argument("x", Shape(row.shape))
            let y: Tensor
            if row.layer == "RandomZoom" {
                let layer = RandomZoom(
                    heightFactor: 0.9, widthFactor: 0.9, fillMode: mode, interpolation: interpolation,
                    fillValue: golden.fillValue)
                y = try layer.zoomed(layer.zoomed(x, axis: 1, by: rows), axis: 2, by: columns)
            } else {
                let layer = RandomTranslation(
                    heightFactor: 1, widthFactor: 1, fillMode: mode, interpolation: interpolation,
                    fillValue: golden.fillValue)
                y = try layer.translated(layer.translated(x, axis: 1, by: rows), axis: 2, by: columns)
            }
            try await expect(y, row.shape, row.output, within: 1e-4, "\(row)")
        }
    }

    @Test func rotationsAreThoseOfKeras() async throws {
        #expect(golden.rotations.count == 18)
        for row in golden.rotations {
            let layer = RandomRotation(
                factor: 1, fillMode: try #require(FillMode(rawValue: row.mode)),
                interpolation: try #require(Interpolation(rawValue: row.interpolation)),
                fillValue: golden.fillValue)
            let turns = Tensor.constant(try TensorValue(shape: [row.turns.count, 1, 1], row.turns))
            let y = try layer.turned(Tensor.argument("x", Shape(row.shape)), by: turns)
            try await expect(y, row.shape, row.output, within: 1e-4, "\(row)")
        }
    }

    /// Where rows and columns are looked up independently, it can be done in turn.
    @Test(arguments: FillMode.allCases, Interpolation.allCases)
    func placesOfRowsAndColumns(mode: FillMode, interpolation: Interpolation) async throws {
        let x = Tensor.argument("x", [2, 3, 4, 2])
        let rows: [Float] = [-7.3, -1, -0.4, 0.6, 1.75, 2, 2.2, 3.4, 11, 0]
        let columns: [Float] = [2.3, 3.9, 4, -0.1, -5.2, 1]
        func places(_ numbers: [Float], _ shape: Shape) throws -> Tensor {
            try .constant(TensorValue(shape: shape, numbers))
        }
        let y = try x.resampled(
            atRows: places(rows, [2, 5, 1]).broadcast(to: [2, 5, 3]),
            columns: places(columns, [2, 1, 3]).broadcast(to: [2, 5, 3]), fillMode: mode, fillValue: 0.5,
            interpolation: interpolation)
        let inTurn = try x.resampled(
            axis: 1, at: places(rows, [2, 5]), fillMode: mode, fillValue: 0.5, interpolation: interpolation
        ).resampled(
            axis: 2, at: places(columns, [2, 3]), fillMode: mode, fillValue: 0.5,
            interpolation: interpolation)
        let expected = try await evaluate(inTurn, feeds: ["x": hashed(1, [2, 3, 4, 2])], batch: 2)
        try await expect(y, [2, 3, 4, 2], expected.doubles, within: 1e-5, "\(mode) \(interpolation)")
    }

    /// A quarter of a turn moves pixels onto pixels, and wraps between the last and the first of them.
    @Test func turnedPictures() async throws {
        let x = Tensor.constant(try TensorValue(shape: [1, 2, 2, 1], [1, 2, 3, 4]))
        func turned(_ x: Tensor, _ layer: RandomRotation, _ turn: Float) async throws -> [Float] {
            let turns = Tensor.constant(try TensorValue(shape: [1, 1, 1], [turn]))
            return try await evaluate(layer.turned(x, by: turns), feeds: [:], batch: 1).floats
        }
        for mode in FillMode.allCases {
            let layer = RandomRotation(factor: 1, fillMode: mode, interpolation: .nearest)
            #expect(try await turned(x, layer, 0.25) == [2, 4, 1, 3])
            #expect(try await turned(x, layer, -0.25) == [3, 1, 4, 2])
            #expect(try await turned(x, layer, 0.5) == [4, 3, 2, 1])
        }
        // By an eighth, the ends of a row of three lie √2/2 above and below its only row.
        let row = Tensor.constant(try TensorValue(shape: [1, 1, 3, 1], [1, 2, 4]))
        let side = Float(0.5).squareRoot()
        let ends = [1 * side + 2 * (1 - side), 2, 4 * side + 2 * (1 - side)]
        for mode in [FillMode.wrap, .reflect, .nearest] {
            let result = try await turned(row, RandomRotation(factor: 1, fillMode: mode), 0.125)
            #expect(zip(result, ends).allSatisfy { abs($0 - $1) < 1e-5 }, "\(mode)")
        }
        let constant = RandomRotation(factor: 1, fillMode: .constant, fillValue: 7)
        let inside = ends.map { 7 + ($0 - 7) * (1 - side) }
        let result = try await turned(row, constant, 0.125)
        #expect(zip(result, [inside[0], 2, inside[2]]).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    /// Between the last pixel and the first, where TensorFlow shows the last one, as well as far away.
    @Test func wrappedPlaces() async throws {
        let x = Tensor.constant(try TensorValue(shape: [1, 1, 4, 1], [1, 2, 4, 8]))
        let places = Tensor.constant(try TensorValue(shape: [1, 6], [-0.25, 3.5, 4, -3, 9.5, -4.75]))
        let y = try x.resampled(axis: 2, at: places, fillMode: .wrap, interpolation: .bilinear)
        #expect(try await evaluate(y, feeds: [:], batch: 1).floats == [2.75, 4.5, 1, 2, 3, 6.25])
        let one = try Tensor.filled(5, [1, 1, 1, 1]).resampled(
            axis: 2, at: places, fillMode: .wrap, interpolation: .bilinear)
        #expect(try await evaluate(one, feeds: [:], batch: 1).floats == [5, 5, 5, 5, 5, 5])
    }

    @Test func colorsAreThoseOfKeras() async throws {
        #expect(golden.colors.count == 2)
        for row in golden.colors {
            let amounts = Tensor.constant(
                try TensorValue(shape: [row.amounts.count, 1, 1, 1], row.amounts))
            let range = row.valueRange[0]...row.valueRange[1]
            let x = Tensor.argument("x", Shape(row.shape))
            let y =
                row.layer == "RandomContrast"
                ? try RandomContrast(factor: 1, valueRange: range).changed(x, by: amounts)
                : try RandomBrightness(factor: 1, valueRange: range).changed(x, by: amounts)
            try await expect(y, row.shape, row.output, within: 1e-5, "\(row)")
        }
    }

    @Test func sizesAreThoseOfKeras() async throws {
        #expect(golden.sizes.count == 22)
        for row in golden.sizes {
            let interpolation = try #require(Interpolation(rawValue: row.interpolation))
            let layer: any SpatialLayer =
                row.layer == "CenterCrop"
                ? CenterCrop(height: row.size[0], width: row.size[1])
                : Resizing(
                    height: row.size[0], width: row.size[1], interpolation: interpolation,
                    cropToAspectRatio: row.crop)
            let x = Tensor.input("x", Shape(Array(row.shape.dropFirst())))
            try await expect(layer.call(images: x), row.shape, row.output, within: 1e-5, "\(row)")
        }
    }

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
                refuse(RandomZoom(heightFactor: factor))
                refuse(RandomZoom(heightFactor: 0, widthFactor: factor))
                refuse(RandomBrightness(factor: factor))
            }
            refuse(RandomContrast(factor: number))
            refuse(RandomContrast(lower: 0, upper: number))
        }
        for range in [0...0, 0...Double.infinity, -3e38...3e38] {
            refuse(RandomContrast(factor: 0.5, valueRange: range))
            refuse(RandomBrightness(factor: 0.5, valueRange: range))
        }
        refuse(RandomTranslation(heightFactor: [0.5, -0.5], widthFactor: 0))
        refuse(RandomZoom(heightFactor: [-1, 0]))
        for fill in [Double.nan, .infinity, 1e300] {
            refuse(
                RandomTranslation(heightFactor: 0, widthFactor: 0, fillMode: .constant, fillValue: fill))
            refuse(RandomRotation(factor: 0, fillValue: fill))
            refuse(RandomZoom(heightFactor: 0, fillValue: fill))
        }
        refuse(RandomRotation(factor: 0), [1 << 16, 1 << 15, 1])
        refuse(RandomRotation(factor: 0), [1, 1 << 25, 1])
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
