import Foundation
import Fovea

/// Pictures of cats and dogs; of drawn circles and stars where those are not there.
struct Pets {
    let size: Size2D
    let train, validation, test: Dataset<Example>
    let classNames: [String]
    /// What is to be said beside results.
    let remark: String

    @MainActor init(_ course: Course) throws {
        let real = course.data.path("cats-and-dogs")
        if real == nil { print("\n   cats-and-dogs is not in $FOVEA_DATA: shapes are drawn in their place") }
        let folder = try real ?? Self.drawnShapes(in: course.file("shapes"))
        let (size, most) = course.choose(full: (Size2D(150), Int.max), quick: (Size2D(96), 160))
        func pictures(_ part: String) throws -> Dataset<Example> {
            let all = try Dataset(ImageFolder("\(folder)/\(part)"), size: size, classMode: .binary)
            let count = all.count ?? 0
            return try all.subset(Array(stride(from: 0, to: count, by: max(1, count / most))))
                .cached(byteLimit: 1 << 30)
        }
        self.size = size
        classNames = try ImageFolder("\(folder)/train").classNames
        (train, validation, test) = (
            try pictures("train"), try pictures("validation"), try pictures("test")
        )
        remark = real == nil ? "on drawn shapes" : ""
    }

    /// Writes drawn circles and stars as pictures, a folder for each.
    private static func drawnShapes(in folder: String) throws -> String {
        let shapes = try ShapesDataset.draw(trainCount: 1_000, testCount: 1_000, height: 96, width: 96)
        let parts = [("train", shapes.train), ("validation", shapes.test), ("test", shapes.test)]
        for (part, examples) in parts {
            for (label, name) in [(0, "circles"), (4, "stars")] {
                let path = "\(folder)/\(part)/\(name)"
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                let all = try examples.labels.indices.filter { try examples[$0].label == label }
                // Validation has the first half of what was drawn to test, and the test the second.
                let half = all.count / 2
                let mine = part == "train" ? all[...] : part == "test" ? all[half...] : all[..<half]
                for index in mine {
                    let picture = try examples[index].image.rgb()
                    try picture.pngData().write(to: URL(fileURLWithPath: "\(path)/\(index).png"))
                }
            }
        }
        return folder
    }
}
