import Foundation
import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaLayers

/// Layers that change images: their formulas against Keras's, given what they would draw
/// (Golden/make_preprocessing_layers.py makes the file), and what they draw.
@Suite struct PreprocessingTests {
    struct Golden: Decodable {
        let fillValue: Double
        let placements: [Placement]
        let erased: Erased
        let hues: [Hue]
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

    struct Erased: Decodable {
        let shape: [Int]
        /// Of rows and columns.
        let sizes: [[Float]]
        let places: [[Float]]
        let output: [Double]
    }

    struct Hue: Decodable {
        let layer: String
        let shape: [Int]
        let pixels: [Float]
        let amounts: [Float]
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
        _ y: Tensor, _ shape: [Int], _ output: [Double], within tolerance: Double, _ what: String,
        of images: TensorValue? = nil
    ) async throws {
        let x = try images ?? hashed(1, Shape(shape))
        let values = try await Compute.run {
            try Self.backends.map {
                try $0.compile(outputs: [y], mode: .inference, batch: shape[0]).run(["x": x])[0]
            }
        }
        for value in values { #expect(difference(value.floats, output) < tolerance, "\(what)") }
    }

    @Test func placesAreThoseOfKeras() async throws {
        #expect(golden.placements.count == 22)
        for row in golden.placements {
            let mode = try #require(FillMode(rawValue: row.mode))
            let interpolation = try #require(Interpolation(rawValue: row.interpolation))
            let rows = Tensor.constant(try TensorValue(shape: [row.rows.count, 1], row.rows))
            let columns = Tensor.constant(try TensorValue(shape: [row.columns.count, 1], row.columns))
            // The batch is known here, because what would be drawn is constant.
            let x = Tensor.argument("x", Shape(row.shape))
            let y: Tensor
            if row.layer == "RandomShear" {
                let layer = RandomShear(
                    fillMode: mode, interpolation: interpolation, fillValue: golden.fillValue)
                let count = row.rows.count
                y = try layer.sheared(
                    x, x: columns.reshaped(to: [count, 1, 1]), y: rows.reshaped(to: [count, 1, 1]))
            } else if row.layer == "RandomZoom" {
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

    @Test func huesAreThoseOfKeras() async throws {
        #expect(golden.hues.count == 2)
        for row in golden.hues {
            let amounts = Tensor.constant(
                try TensorValue(shape: [row.amounts.count, 1, 1, 1], row.amounts))
            let pixels = try TensorValue(shape: Shape(row.shape), row.pixels)
            let x = Tensor.argument("x", Shape(row.shape))
            let y =
                row.layer == "RandomHue"
                ? try RandomHue(factor: 0...1).changed(x, by: amounts)
                : try RandomSaturation(factor: 0...1).changed(x, by: amounts)
            try await expect(y, row.shape, row.output, within: 1e-5, "\(row)", of: pixels)
            // Twice the values, one higher.
            if row.layer == "RandomSaturation" {
                let layer = RandomSaturation(factor: 0...1, valueRange: 1...3)
                let moved = try (layer.changed(x * 2 + 1, by: amounts) - 1) / 2
                try await expect(moved, row.shape, row.output, within: 1e-5, "\(row)", of: pixels)
            }
        }
    }

    @Test func erasedPartsAreThoseOfKeras() async throws {
        let row = golden.erased
        func part(_ axis: Int) throws -> RandomErasing.Part {
            func column(_ numbers: [[Float]]) throws -> Tensor {
                try .constant(TensorValue(shape: [numbers.count, 1, 1, 1], numbers.map { $0[axis] }))
            }
            return .init(size: try column(row.sizes), place: try column(row.places))
        }
        let layer = RandomErasing(fillValue: golden.fillValue, valueRange: -1...1)
        let y = try layer.erased(
            Tensor.argument("x", Shape(row.shape)), rows: part(0), columns: part(1))
        try await expect(y, row.shape, row.output, within: 1e-6, "\(row)")
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
}
