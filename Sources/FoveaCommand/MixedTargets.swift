import ArgumentParser
import Fovea

/// Pictures that are mixed belong to several classes, so targets are rows with a share of each.

extension Loss {
    /// The same loss for rows.
    ///
    /// - Throws: `ValidationError` where there is none.
    func forMixedPictures() throws -> any Loss {
        if let loss = self as? SparseCategoricalCrossentropy, loss.ignoreClass == nil {
            return .categoricalCrossentropy(fromLogits: loss.fromLogits, labelSmoothing: loss.labelSmoothing)
        }
        guard targetKind.classMode == .categorical else {
            throw ValidationError(
                "--mixup is for networks with an output for each class, whose loss takes a share of each; \(name) does not"
            )
        }
        return self
    }
}

extension TrainingData {
    /// With rows instead of class numbers in what is in memory; what is computed has them by its form.
    func withRows() throws -> TrainingData {
        func part(_ part: Part) throws -> Part {
            guard case .memory(let examples) = part else { return part }
            return .memory(try examples.withRows(classCount: classNames.count))
        }
        var data = self
        data.train = try part(train)
        data.validation = try validation.map(part)
        data.test = try test.map(part)
        return data
    }
}

extension Examples {
    /// With a row instead of each class number, 1 in its place and 0 elsewhere; rows stay.
    func withRows(classCount: Int) throws -> Examples {
        guard let target = targets.first, targets.count == 1, target.shape.rank == 1 else { return self }
        var rows = [Float](repeating: 0, count: count * classCount)
        for (example, label) in target.integers.enumerated() {
            guard (0..<classCount).contains(Int(label)) else {
                throw CommandError(
                    "example \(example) is of class \(label), but there are \(classCount) from 0")
            }
            rows[example * classCount + Int(label)] = 1
        }
        return try Examples(
            inputs: inputs, targets: [TensorValue(shape: [count, classCount], rows)], weights: weights)
    }
}
