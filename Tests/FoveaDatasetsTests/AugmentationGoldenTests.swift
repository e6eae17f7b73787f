import Foundation
import FoveaGraph
import Testing

@testable import FoveaDatasets

/// Comparison with Keras, SciPy, PyTorch, Pillow and Python's colorsys; Golden/make_augmentation.py makes the file.
@Suite struct AugmentationGoldenTests {
    struct Golden: Decodable {
        let warps: [Warp]
        let resized: [Part]
        let cropped: [Part]
        let shifted: [Change]
        let brightness: [Change]
        let contrast: [Change]
        let saturation: [Change]
        let hue: [Change]
        let standardized: [Standardized]
    }

    struct Warp: Decodable {
        struct Changes: Decodable {
            var theta: Double?
            var tx: Double?
            var ty: Double?
            var shear: Double?
            var zx: Double?
            var zy: Double?
        }
        let shape: [Int]
        let mode: String
        let order: Int
        let kerasCenter: Bool
        let changes: Changes
        let output: [Double]
    }

    struct Part: Decodable {
        let shape: [Int]
        let region: [Int]
        let size: [Int]
        let mode: String
        let output: [Double]
    }

    struct Change: Decodable {
        let shape: [Int]
        let amount: Double
        let output: [Double]
    }

    struct Standardized: Decodable {
        struct Settings: Decodable {
            var featurewiseCenter: Bool?
            var featurewiseStdNormalization: Bool?
            var samplewiseCenter: Bool?
            var samplewiseStdNormalization: Bool?
            var zcaWhitening: Bool?
            var zcaEpsilon: Double?
            var rescale: Double?
        }
        let shape: [Int]
        let settings: Settings
        let output: [Double]
    }

    let golden: Golden

    init() throws {
        let url = try #require(
            Bundle.module.url(forResource: "augmentation", withExtension: "json", subdirectory: "Golden"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        golden = try decoder.decode(Golden.self, from: Data(contentsOf: url))
    }

    @Test func warpsAreThoseOfKeras() throws {
        #expect(golden.warps.count == 56)
        for row in golden.warps {
            let image = try hashedImage(row.shape)
            let mode = try #require(Augmentation.FillMode(rawValue: row.mode))
            let sampling: Augmentation.Sampling = row.order == 0 ? .nearest : .bilinear
            let changes = row.changes
            var result: FloatImage
            if row.kerasCenter {
                // Keras exchanges height and width in the centre.
                let map = AffineMap(
                    rotation: changes.theta ?? 0, rowShift: changes.ty ?? 0, columnShift: changes.tx ?? 0,
                    shear: changes.shear ?? 0, rowZoom: changes.zy ?? 1, columnZoom: changes.zx ?? 1,
                    center: (image.center.column, image.center.row))
                result = image.warped(
                    by: map, height: image.height, width: image.width, fillMode: mode, fillValue: 70,
                    sampling: sampling)
            } else {
                var parameters = Augmentation.Parameters()
                parameters.rotation = changes.theta ?? 0
                parameters.columnShift = changes.tx ?? 0
                parameters.rowShift = changes.ty ?? 0
                parameters.shear = changes.shear ?? 0
                parameters.columnZoom = changes.zx ?? 1
                parameters.rowZoom = changes.zy ?? 1
                let augmentation = try Augmentation(fillMode: mode, fillValue: 70, sampling: sampling)
                result = try augmentation.applied(to: image, parameters)
            }
            expect(result, row.output, within: 0.01, "\(row)")
        }
    }

    @Test func regionsAreResizedAsByInterpolation() throws {
        for row in golden.resized {
            let size = Size2D(row.size[0], row.size[1])
            try expectPart(row, crop: .resized(size: size))
        }
    }

    @Test func cropsAreThoseOfPaddedImages() throws {
        for row in golden.cropped {
            try expectPart(row, crop: .random(size: Size2D(row.size[0], row.size[1]), padding: 3))
        }
    }

    private func expectPart(_ row: Part, crop: Augmentation.Crop) throws {
        let mode = try #require(Augmentation.FillMode(rawValue: row.mode))
        let augmentation = try Augmentation(fillMode: mode, fillValue: 70, crop: crop)
        var parameters = Augmentation.Parameters()
        parameters.region = .init(
            top: row.region[0], left: row.region[1], height: row.region[2], width: row.region[3])
        let result = try augmentation.applied(to: hashedImage(row.shape), parameters)
        #expect([result.height, result.width] == row.size)
        expect(result, row.output, within: 0.01, "\(row)")
    }

    @Test func colorsAreThoseOfKerasAndTorchvision() throws {
        let changes: [(String, [Change], WritableKeyPath<Augmentation.Parameters, Double>, Double)] = [
            ("channel shift", golden.shifted, \.channelShift, 0.01),
            // Pillow rounds down to whole numbers.
            ("brightness", golden.brightness, \.brightness, 1),
            ("contrast", golden.contrast, \.contrast, 0.01),
            ("saturation", golden.saturation, \.saturation, 0.01), ("hue", golden.hue, \.hue, 0.01),
        ]
        for (name, rows, key, tolerance) in changes {
            #expect(!rows.isEmpty)
            for row in rows {
                var parameters = Augmentation.Parameters()
                parameters[keyPath: key] = row.amount
                let image = try hashedImage(row.shape)
                let result = try Augmentation().applied(to: image, parameters)
                expect(result, row.output, within: tolerance, "\(name) \(row)")
                // With white at 1 the same colours come out.
                guard name != "channel shift" else { continue }
                let small = try FloatImage(
                    height: image.height, width: image.width, channels: image.channels, white: 1,
                    pixels: image.pixels.map { $0 / 255 })
                let scaled = try Augmentation().applied(to: small, parameters).pixels.map { $0 * 255 }
                expect(image.with(scaled), row.output, within: tolerance, "\(name) \(row)")
            }
        }
    }

    @Test func standardizationIsThatOfKeras() throws {
        #expect(golden.standardized.count == 6)
        for row in golden.standardized {
            let settings = row.settings
            var augmentation = try Augmentation(
                rescale: settings.rescale, featurewiseCenter: settings.featurewiseCenter ?? false,
                featurewiseStdNormalization: settings.featurewiseStdNormalization ?? false,
                samplewiseCenter: settings.samplewiseCenter ?? false,
                samplewiseStdNormalization: settings.samplewiseStdNormalization ?? false,
                zcaWhitening: settings.zcaWhitening ?? false, zcaEpsilon: settings.zcaEpsilon ?? 1e-6)
            let pixels = hashedPixels(2, count: row.shape.reduce(1, *))
            try augmentation.fit(on: TensorValue(shape: Shape(row.shape), pixels))
            let bytes = TensorValue.Storage.uint8(pixels.map { UInt8($0) })
            let fromFloats = augmentation.statistics
            try augmentation.fit(on: TensorValue(shape: Shape(row.shape), storage: bytes))
            #expect(augmentation.statistics == fromFloats)
            var output: [Float] = []
            let size = pixels.count / row.shape[0]
            for example in 0..<2 {
                let image = try FloatImage(
                    height: row.shape[1], width: row.shape[2], channels: row.shape[3],
                    pixels: Array(pixels[(example * size)..<((example + 1) * size)]))
                output += try augmentation.standardized(image).pixels
            }
            let largest = row.output.map(abs).max() ?? 0
            let error = zip(output, row.output).map { abs(Double($0) - $1) }.max() ?? .infinity
            #expect(output.count == row.output.count && error < 1e-5 * largest, "\(row)")
        }
    }

    private func expect(_ image: FloatImage, _ expected: [Double], within tolerance: Double, _ what: String) {
        #expect(image.pixels.count == expected.count, "\(what)")
        let errors = zip(image.pixels, expected).map { abs(Double($0) - $1) }
        // A NaN must not hide behind `max`.
        #expect(errors.allSatisfy { $0 <= tolerance }, "\(what): off by \(errors.max() ?? 0)")
    }
}

/// Whole numbers from 0 to 255 that a hash makes of their positions, as in the script that makes the golden file.
func hashedPixels(_ stream: UInt64, count: Int) -> [Float] {
    (0..<UInt64(count)).map { index in
        var z = (stream << 32 + index) &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return Float(z >> 56)
    }
}

/// An image `[height, width, channels]` of such numbers.
func hashedImage(_ shape: [Int], stream: UInt64 = 1) throws -> FloatImage {
    try FloatImage(
        height: shape[0], width: shape[1], channels: shape[2],
        pixels: hashedPixels(stream, count: shape.reduce(1, *)))
}
