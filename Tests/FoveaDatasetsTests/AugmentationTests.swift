import Foundation
import FoveaGraph
import Testing

@testable import FoveaDatasets

@Suite struct AugmentationTests {
    static let shapes = [[5, 7, 3], [8, 8, 1], [1, 6, 2], [7, 1, 3], [1, 1, 1], [13, 4, 4]]

    /// Every option at once.
    static func everything() throws -> Augmentation {
        try Augmentation(
            rotationRange: 40, widthShiftRange: 0.2, heightShiftRange: 3, brightnessRange: [0.5, 1.5],
            shearRange: 20, zoomRange: [0.7, 1.2], channelShiftRange: 30, fillMode: .reflect,
            horizontalFlip: true, verticalFlip: true, contrastRange: 0.4, saturationRange: 0.5,
            hueRange: 0.1, crop: .resized(size: [9, 6]), erasing: .init(probability: 0.75, value: 17),
            rescale: 1 / 255, samplewiseStdNormalization: true)
    }

    // MARK: Images

    @Test func imagesOfTensors() throws {
        let bytes = TensorValue.Storage.uint8([0, 1, 127, 128, 254, 255])
        let value = try TensorValue(shape: [1, 2, 3], storage: bytes)
        let image = try FloatImage(value)
        #expect(image.white == 255 && image.pixels == [0, 1, 127, 128, 254, 255])
        #expect(image.bytes == [0, 1, 127, 128, 254, 255])
        #expect(image.tensorValue.shape == [1, 2, 3] && image.tensorValue.dtype == .float32)
        let small = try FloatImage(TensorValue(shape: [1, 2, 3], [-1, 0, 0.5, 1, 7, .nan]))
        #expect(small.white == 1 && small.bytes == [0, 0, 128, 255, 255, 0])
        #expect(try FloatImage(small.tensorValue, white: 2).bytes == [0, 0, 64, 128, 255, 0])
    }

    @Test func otherTensorsAreNoImages() throws {
        for value in try [
            TensorValue(shape: [2, 2], [1, 2, 3, 4] as [Float]),
            TensorValue(shape: [0, 2, 1], []),
            TensorValue(shape: [1, 1, 1], storage: .int32([1])),
        ] as [TensorValue] {
            #expect(throws: DatasetError.self) { try FloatImage(value) }
        }
        #expect(throws: DatasetError.self) { try FloatImage(height: 2, width: 2, channels: 1, pixels: [1]) }
        #expect(throws: DatasetError.self) {
            try FloatImage(height: -1, width: -1, channels: 1, pixels: [1])
        }
        #expect(throws: DatasetError.self) {
            try FloatImage(height: .max, width: 2, channels: 2, bytes: [1])
        }
        for white: Float in [0, -1, .nan, .infinity] {
            #expect(throws: DatasetError.self) {
                try FloatImage(height: 1, width: 1, channels: 1, white: white, pixels: [1])
            }
        }
    }

    // MARK: Properties

    @Test(arguments: shapes) func nothingIsChangedUnlessAsked(shape: [Int]) throws {
        let image = try hashedImage(shape)
        let augmentation = try Augmentation()
        for index in 0..<4 {
            #expect(try augmentation.augmented(image, index: index, epoch: 3, seed: 7) == image)
        }
        #expect(augmentation.description == "")
    }

    @Test(arguments: Augmentation.FillMode.allCases, Augmentation.Sampling.allCases)
    func quarterTurns(mode: Augmentation.FillMode, sampling: Augmentation.Sampling) throws {
        for shape in [[6, 6, 3], [5, 5, 1], [150, 150, 1], [1, 1, 4]] {
            let image = try hashedImage(shape)
            var turned = image
            for _ in 0..<4 { turned = try turned.rotated(degrees: 90, fillMode: mode, sampling: sampling) }
            #expect(turned == image)
            for degrees in [-90.0, 180, 270, 360, -720] {
                let there = try image.rotated(degrees: degrees, fillMode: mode, sampling: sampling)
                #expect(
                    try there.rotated(degrees: -degrees, fillMode: mode, sampling: sampling) == image)
            }
        }
    }

    /// Counterclockwise: what was on the right is above.
    @Test func aQuarterTurn() throws {
        let image = try FloatImage(height: 2, width: 2, channels: 1, pixels: [1, 2, 3, 4])
        #expect(try image.rotated(degrees: 90).pixels == [2, 4, 1, 3])
    }

    /// Also of an image that is not square, which Keras turns around another point.
    @Test(arguments: shapes) func halfTurnsAreBothFlips(shape: [Int]) throws {
        let image = try hashedImage(shape)
        let both = try flipped(image, horizontally: true, vertically: true)
        for mode in Augmentation.FillMode.allCases {
            #expect(try image.rotated(degrees: 180, fillMode: mode) == both)
        }
        let channels = shape[2]
        let reversed = stride(from: image.pixels.count - channels, through: 0, by: -channels)
            .flatMap { Array(image.pixels[$0..<($0 + channels)]) }
        #expect(both.pixels == reversed)
    }

    @Test(arguments: shapes) func flipsTwiceAreNone(shape: [Int]) throws {
        let image = try hashedImage(shape)
        for (horizontally, vertically) in [(true, false), (false, true), (true, true)] {
            let once = try flipped(image, horizontally: horizontally, vertically: vertically)
            #expect(try flipped(once, horizontally: horizontally, vertically: vertically) == image)
        }
    }

    @Test func flips() throws {
        let image = try FloatImage(height: 2, width: 3, channels: 1, pixels: [1, 2, 3, 4, 5, 6])
        #expect(try flipped(image, horizontally: true, vertically: false).pixels == [3, 2, 1, 6, 5, 4])
        #expect(try flipped(image, horizontally: false, vertically: true).pixels == [4, 5, 6, 1, 2, 3])
    }

    private func flipped(_ image: FloatImage, horizontally: Bool, vertically: Bool) throws -> FloatImage {
        var parameters = Augmentation.Parameters()
        parameters.flipsHorizontally = horizontally
        parameters.flipsVertically = vertically
        // Wrapping would show a false place first.
        return try Augmentation(fillMode: .wrap).applied(to: image, parameters)
    }

    /// Flips come after rotation and shift, and before the crop.
    @Test func orderOfChanges() throws {
        let image = try FloatImage(height: 1, width: 4, channels: 1, pixels: [1, 2, 3, 4])
        var parameters = Augmentation.Parameters()
        parameters.columnShift = 1
        parameters.flipsHorizontally = true
        #expect(try Augmentation().applied(to: image, parameters).pixels == [4, 4, 3, 2])
        parameters.region = .init(top: 0, left: 1, height: 1, width: 2)
        let crop = Augmentation.Crop.random(size: [1, 2])
        #expect(try Augmentation(crop: crop).applied(to: image, parameters).pixels == [4, 3])
        // Without a crop the part becomes as large as the image.
        #expect(try Augmentation().applied(to: image, parameters).pixels == [4, 3.75, 3.25, 2.75])
        parameters.brightness = 2
        parameters.erased = .init(top: -1, left: 1, height: 9, width: 9)
        let augmentation = try Augmentation(crop: crop, erasing: .init(value: 7))
        #expect(try augmentation.applied(to: image, parameters).pixels == [8, 7])
    }

    @Test(arguments: Augmentation.FillMode.allCases, Augmentation.Sampling.allCases)
    func farPlacesAreSafe(mode: Augmentation.FillMode, sampling: Augmentation.Sampling) throws {
        let augmentation = try Augmentation(fillMode: mode, fillValue: 5, sampling: sampling)
        for shape in Self.shapes {
            let image = try hashedImage(shape)
            let values = Set(image.pixels)
            for number in [1e3, -1e6, 1e15, -1e30] {
                var parameters = Augmentation.Parameters()
                parameters.rowShift = number
                parameters.columnShift = -number
                parameters.rowZoom = number
                let result = try augmentation.applied(to: image, parameters)
                #expect(result.pixels.allSatisfy { $0 >= 0 && $0 <= 255 })
                if mode == .constant, number == 1e3, shape != [1, 1, 1] {
                    #expect(result.pixels.allSatisfy { $0 == 5 })
                }
                if sampling == .nearest, mode != .constant {
                    #expect(result.pixels.allSatisfy(values.contains))
                }
            }
        }
    }

    // MARK: Drawing

    @Test func resultsDependOnNothingElse() async throws {
        let augmentation = try Self.everything()
        let image = try hashedImage([11, 9, 3])
        let expected = try (0..<40).map { try augmentation.augmented(image, index: $0, epoch: 2, seed: 5) }
        #expect(Set(expected).count == 40)
        let found = try await withThrowingTaskGroup(of: (Int, FloatImage).self) { group in
            for index in (0..<40).reversed() {
                group.addTask {
                    (index, try augmentation.augmented(image, index: index, epoch: 2, seed: 5))
                }
            }
            return try await group.reduce(into: [Int: FloatImage]()) { $0[$1.0] = $1.1 }
        }
        #expect((0..<40).allSatisfy { found[$0] == expected[$0] })
        #expect(try augmentation.augmented(image, index: 0, epoch: 3, seed: 5) != expected[0])
        #expect(try augmentation.augmented(image, index: 0, epoch: 2, seed: 6) != expected[0])
    }

    private func drawn(_ augmentation: Augmentation, _ count: Int = 2000) throws -> [Augmentation.Parameters]
    {
        try (0..<count).map { try augmentation.parameters(for: $0, epoch: 0, seed: 1, height: 20, width: 50) }
    }

    @Test func rangesAreFilled() throws {
        let all = try drawn(
            Augmentation(
                rotationRange: 30, widthShiftRange: 0.2, heightShiftRange: 4, brightnessRange: [0.5, 2],
                shearRange: 10, zoomRange: 0.25, channelShiftRange: 9, horizontalFlip: true,
                contrastRange: 0.3, saturationRange: [0, 1], hueRange: 0.5))
        func expectFilled(_ key: KeyPath<Augmentation.Parameters, Double>, _ range: ClosedRange<Double>) {
            let values = all.map { $0[keyPath: key] }
            let margin = 0.01 * (range.upperBound - range.lowerBound)
            #expect(values.allSatisfy(range.contains), "\(key)")
            #expect(values.contains { $0 < range.lowerBound + margin }, "\(key)")
            #expect(values.contains { $0 > range.upperBound - margin }, "\(key)")
            // Six standard deviations of the mean of numbers that are evenly distributed.
            let mean = values.reduce(0, +) / Double(values.count)
            let middle = (range.lowerBound + range.upperBound) / 2
            #expect(abs(mean - middle) < 100 * margin * 6 / Double(12 * all.count).squareRoot(), "\(key)")
        }
        expectFilled(\.rotation, -30...30)
        expectFilled(\.columnShift, -10...10)
        expectFilled(\.rowShift, -4...4)
        expectFilled(\.brightness, 0.5...2)
        expectFilled(\.shear, -10...10)
        expectFilled(\.rowZoom, 0.75...1.25)
        expectFilled(\.columnZoom, 0.75...1.25)
        expectFilled(\.channelShift, -9...9)
        expectFilled(\.contrast, 0.7...1.3)
        expectFilled(\.saturation, 0...1)
        expectFilled(\.hue, -0.5...0.5)
        #expect(abs(all.count { $0.flipsHorizontally } - 1000) < 135)
        #expect(!all.contains { $0.flipsVertically })
        #expect(all.allSatisfy { $0.region == nil && $0.erased == nil })
        #expect(Set(all.map { $0.rowZoom / $0.columnZoom }).count > 1900)
    }

    /// One option more does not change what is drawn for the others.
    @Test func optionsHaveTheirOwnNumbers() throws {
        let few = try drawn(Augmentation(shearRange: 10, hueRange: 0.2), 10)
        let many = try drawn(
            Augmentation(
                rotationRange: 4, shearRange: 10, hueRange: 0.2, crop: .random(size: 8), erasing: .init()), 10
        )
        #expect(few.map(\.shear) == many.map(\.shear) && few.map(\.hue) == many.map(\.hue))
    }

    @Test func cropsAreEverywhere() throws {
        let all = try drawn(Augmentation(crop: .random(size: [19, 48], padding: 1))).compactMap(\.region)
        #expect(all.count == 2000)
        #expect(Set(all.map(\.top)) == [-1, 0, 1, 2] && Set(all.map(\.left)) == [-1, 0, 1, 2, 3])
        let whole = try drawn(Augmentation(crop: .random(size: [20, 50])), 3)
        #expect(whole.allSatisfy { $0.region == .init(top: 0, left: 0, height: 20, width: 50) })
        for crop in [Augmentation.Crop.random(size: [21, 50]), .random(size: [22, 53], padding: 1)] {
            #expect(throws: DatasetError.self) { try drawn(Augmentation(crop: crop), 1) }
        }
    }

    @Test func partsHaveTheAskedAreas() throws {
        let crops = try drawn(Augmentation(crop: .resized(size: 8, area: 0.2...0.5))).compactMap(\.region)
        #expect(crops.count == 2000)
        for part in crops {
            #expect(part.top >= 0 && part.left >= 0)
            #expect(part.top + part.height <= 20 && part.left + part.width <= 50)
            // Rounding moves an edge by half a pixel.
            let area = Double(part.height * part.width)
            #expect(area > 150 && area < 570)
            let ratio = Double(part.width) / Double(part.height)
            #expect(ratio > 0.65 && ratio < 1.5)
        }
        #expect(Set(crops.map(\.left)).count > 25)
        // A wide image has no part of its whole area that is nearly square, so the middle is taken.
        let middle = try drawn(Augmentation(crop: .resized(size: 8, area: 1...1)), 3).compactMap(\.region)
        #expect(middle.allSatisfy { $0 == .init(top: 0, left: 11, height: 20, width: 27) })

        let erased = try drawn(Augmentation(erasing: .init(probability: 0.25, area: 0.1...0.2)))
            .compactMap(\.erased)
        #expect(abs(erased.count - 500) < 120)
        #expect(erased.allSatisfy { $0.height < 20 && $0.width < 50 && $0.top + $0.height <= 20 })
        #expect(erased.allSatisfy { $0.height * $0.width > 75 && $0.height * $0.width < 230 })
        #expect(try drawn(Augmentation(erasing: .init(probability: 0)), 50).allSatisfy { $0.erased == nil })
    }

    // MARK: Refusals

    @Test func hostileOptions() throws {
        let bad: [Double] = [.nan, .infinity, -.infinity, -1, 1e300]
        for number in bad {
            #expect(throws: DatasetError.self) { try Augmentation(rotationRange: number) }
            #expect(throws: DatasetError.self) { try Augmentation(widthShiftRange: number) }
            #expect(throws: DatasetError.self) { try Augmentation(heightShiftRange: number) }
            #expect(throws: DatasetError.self) { try Augmentation(shearRange: number) }
            #expect(throws: DatasetError.self) { try Augmentation(channelShiftRange: number) }
            #expect(throws: DatasetError.self) { try Augmentation(hueRange: number) }
            #expect(throws: DatasetError.self) { try Augmentation(zcaEpsilon: number) }
            for range in [FactorRange(number, 1), FactorRange(0.5, number), FactorRange(distance: number)] {
                #expect(throws: DatasetError.self) { try Augmentation(zoomRange: range) }
                #expect(throws: DatasetError.self) { try Augmentation(brightnessRange: range) }
                #expect(throws: DatasetError.self) { try Augmentation(contrastRange: range) }
                #expect(throws: DatasetError.self) { try Augmentation(saturationRange: range) }
            }
            #expect(throws: DatasetError.self) { try Augmentation(erasing: .init(probability: number)) }
            if number != -1 {
                #expect(throws: DatasetError.self) { try Augmentation(fillValue: number) }
                #expect(throws: DatasetError.self) { try Augmentation(rescale: number) }
                #expect(throws: DatasetError.self) { try Augmentation(erasing: .init(value: number)) }
                var parameters = Augmentation.Parameters()
                parameters.rowZoom = number
                #expect(throws: DatasetError.self) {
                    try Augmentation().applied(to: hashedImage([2, 2, 1]), parameters)
                }
            }
        }
        for number in [Double.nan, .infinity, -.infinity] {
            #expect(throws: DatasetError.self) { try hashedImage([2, 2, 1]).rotated(degrees: number) }
        }
        #expect(throws: DatasetError.self) { try Augmentation(hueRange: 0.51) }
        #expect(throws: DatasetError.self) { try Augmentation(zoomRange: 1) }
        #expect(throws: DatasetError.self) { try Augmentation(zoomRange: [0, 2]) }
        #expect(throws: DatasetError.self) { try Augmentation(zoomRange: [1, 0.5]) }
        #expect(throws: DatasetError.self) { try Augmentation(brightnessRange: [1]) }
        #expect(throws: DatasetError.self) { try Augmentation(brightnessRange: []) }
        #expect(try Augmentation(brightnessRange: 1.5).brightnessRange == [0, 2.5])
        for size in [Size2D(0, 4), Size2D(4, 0), Size2D(-1, 4), Size2D(9000, 4), Size2D(.max, .max)] {
            #expect(throws: DatasetError.self) { try Augmentation(crop: .random(size: size)) }
            #expect(throws: DatasetError.self) { try Augmentation(crop: .resized(size: size)) }
        }
        for padding in [-1, Int.max] {
            #expect(throws: DatasetError.self) {
                try Augmentation(crop: .random(size: 4, padding: padding))
            }
        }
        for area in [0...0.5, -1...1, 0.5...1.5] {
            #expect(throws: DatasetError.self) { try Augmentation(crop: .resized(size: 4, area: area)) }
            #expect(throws: DatasetError.self) { try Augmentation(erasing: .init(area: area)) }
        }
        for ratio in [0...1, -1...1, 1...Double.infinity] {
            #expect(throws: DatasetError.self) {
                try Augmentation(crop: .resized(size: 4, aspectRatio: ratio))
            }
            #expect(throws: DatasetError.self) { try Augmentation(erasing: .init(aspectRatio: ratio)) }
        }
    }

    @Test func hostileParameters() throws {
        let image = try hashedImage([3, 4, 4])
        let augmentation = try Augmentation()
        #expect(throws: DatasetError.self) {
            try augmentation.parameters(for: 0, epoch: 0, seed: 0, height: 0, width: 4)
        }
        // Any number of an example or epoch names random numbers.
        for number in [Int.min, -1, .max] {
            _ = try augmentation.parameters(for: number, epoch: number, seed: .max, height: 1, width: 1)
        }
        for change: @Sendable (inout Augmentation.Parameters) -> Void in [
            { $0.contrast = 2 }, { $0.saturation = 2 }, { $0.hue = 0.1 }, { $0.hue = 0.75 },
            { $0.region = .init(top: 0, left: 0, height: 0, width: 1) },
            { $0.region = .init(top: .max, left: 0, height: 1, width: 1) },
            { $0.erased = .init(top: 0, left: .min, height: 1, width: .max) },
        ] {
            var parameters = Augmentation.Parameters()
            change(&parameters)
            #expect(throws: DatasetError.self) { try augmentation.applied(to: image, parameters) }
        }
        // What has no colours can still become brighter.
        var parameters = Augmentation.Parameters()
        parameters.brightness = 0.5
        #expect(try augmentation.applied(to: image, parameters).pixels == image.pixels.map { $0 / 2 })
    }
}
