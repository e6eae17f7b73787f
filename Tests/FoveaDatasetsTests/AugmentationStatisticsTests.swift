import FoveaGraph
import Testing

@testable import FoveaDatasets

@Suite struct AugmentationStatisticsTests {
    @Test func statisticsAreNeededAndMustFit() throws {
        var augmentation = try Augmentation(featurewiseStdNormalization: true)
        #expect(augmentation.featurewiseCenter)
        let image = try hashedImage([2, 3, 3])
        let error = #expect(throws: DatasetError.self) { try augmentation.standardized(image) }
        #expect(error?.message.contains("fit(on:)") == true)
        try augmentation.fit(on: TensorValue(shape: [2, 2, 3, 1], hashedPixels(3, count: 12)))
        #expect(throws: DatasetError.self) { try augmentation.standardized(image) }
        for value in try [
            TensorValue(shape: [2, 2, 3], hashedPixels(3, count: 12)),
            TensorValue(shape: [0, 2, 3, 1], []),
            TensorValue(shape: [1, 1, 1, 1], [.nan]),
            TensorValue(shape: [1, 1, 1, 1], storage: .int32([1])),
        ] as [TensorValue] {
            #expect(throws: DatasetError.self) { try augmentation.fit(on: value) }
        }
        augmentation = try Augmentation(zcaWhitening: true)
        try augmentation.fit(on: TensorValue(shape: [2, 2, 3, 1], hashedPixels(3, count: 12)))
        #expect(throws: DatasetError.self) { try augmentation.standardized(hashedImage([2, 2, 1])) }
        #expect(throws: DatasetError.self) {
            try augmentation.fit(on: TensorValue(repeating: 1, shape: [1025, 1, 1025, 1]))
        }
        let refusal = #expect(throws: DatasetError.self) {
            try augmentation.fit(on: TensorValue(repeating: 1, shape: [1, 1, 4097, 1]))
        }
        #expect(refusal?.kind == .tooLarge)
    }

    @Test func whitenedDataAreUncorrelated() throws {
        let (count, shape) = (50, [2, 3, 1])
        // Neighbours have much in common.
        let pixels = hashedPixels(5, count: count * 6 + 1)
        let mixed = (0..<(count * 6)).map { pixels[$0] + 0.75 * pixels[$0 + 1] }
        var augmentation = try Augmentation(zcaWhitening: true)
        try augmentation.fit(on: TensorValue(shape: [count, 2, 3, 1], mixed))
        let white = try (0..<count).map { example in
            try augmentation.standardized(
                FloatImage(
                    height: shape[0], width: shape[1], channels: 1,
                    pixels: Array(mixed[(example * 6)..<((example + 1) * 6)])
                )
            ).pixels
        }
        for first in 0..<6 {
            for second in 0..<6 {
                let product = white.reduce(0.0) { $0 + Double($1[first] * $1[second]) } / Double(count)
                #expect(abs(product - (first == second ? 1 : 0)) < 1e-4)
            }
        }
    }

    @Test func eigenvectors() {
        let matrix: [Double] = [4, 1, -2, 0, 1, 3, 0, 1, -2, 0, 5, 2, 0, 1, 2, 6]
        var vectors = matrix
        let values = diagonalize(&vectors, size: 4)
        #expect(abs(values.reduce(0, +) - 18) < 1e-12)
        for (index, value) in values.enumerated() {
            let vector = Array(vectors[(index * 4)..<(index * 4 + 4)])
            for row in 0..<4 {
                let product = (0..<4).reduce(0) { $0 + matrix[row * 4 + $1] * vector[$1] }
                #expect(abs(product - value * vector[row]) < 1e-12)
            }
        }
        var nothing = [Double](repeating: 0, count: 9)
        #expect(diagonalize(&nothing, size: 3) == [0, 0, 0])
    }
}
