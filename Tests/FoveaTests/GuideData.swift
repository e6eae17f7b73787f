import Foundation
import Fovea

/// Small data for the code of the guides.
enum GuideData {
    static let classNames = ShapesDataset.classNames

    /// A few drawn shapes, 28×28×1 of five classes.
    static func shapes() throws -> NamedDataset {
        try ShapesDataset.draw(trainCount: 40, testCount: 12)
    }

    /// A network for the shapes, with `fromLogits` one that ends without a softmax.
    static func model(fromLogits: Bool = false) throws -> Sequential {
        try Sequential(name: "small", input: [28, 28, 1], seed: 1) {
            MaxPooling2D(poolSize: 4)
            Flatten()
            Dense(units: 5, activation: fromLogits ? .linear : .softmax)
        }
    }

    /// Gives a folder with four pictures of each of two classes in `pets` and one in `picture.png`, gone afterwards.
    static func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "fovea-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for (number, name) in ["cats", "dogs"].enumerated() {
            let pets = folder.appending(path: "pets/\(name)")
            try FileManager.default.createDirectory(at: pets, withIntermediateDirectories: true)
            for index in 0..<4 {
                let color = Picture.Color(red: UInt8(60 * index), green: UInt8(200 * number), blue: 90)
                let picture = try Picture(height: 40, width: 30 + index, color: color)
                try picture.pngData().write(to: pets.appending(path: "\(index).png"))
            }
        }
        try Picture(height: 50, width: 40, color: .grey(90)).pngData()
            .write(to: folder.appending(path: "picture.png"))
        try await body(folder.path)
    }
}
