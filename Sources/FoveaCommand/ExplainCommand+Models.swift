import ArgumentParser
import Foundation
import Fovea

/// What is shown of a model without a picture.
extension ExplainCommand {
    /// The kernels of a convolution.
    func kernels(_ saved: SavedModel) async throws -> Figure {
        let (path, kernel) = try await saved.model.filters(of: layer)
        var drawn = try Figure.filters(of: kernel)
        drawn.title = path
        drawn.theme = try figure.chosenTheme
        return drawn
    }

    // MARK: Patterns

    private static let patternCount = 64
    /// Larger images take long and show no more.
    private static let patternSize = 128

    /// Images that filters or classes answer to most.
    func patterns(_ saved: SavedModel) async throws -> Figure {
        let maximizer = try maximizer(saved.model)
        let names = saved.classNames
        let units = try units(of: maximizer, names)
        let side = min(maximizer.size.height, maximizer.size.width)
        var ascent = GradientAscent.robust
        ascent.steps = details.steps ?? 128
        ascent.jitter = max(1, min(ascent.jitter, side / 16))
        let found = try await withProgress("gradient ascent") { [ascent] progress in
            try await maximizer.maximize(units, by: ascent, progress: progress)
        }
        let pictures: [Picture]
        do { pictures = try found.pictures(deviation: 0.2) } catch { throw CommandError("\(file): \(error)") }
        let titles = units.map { layer == nil ? className($0, names) : "\($0)" }
        let range = units.count < maximizer.unitCount ? ", \(units[0])–\(units[units.count - 1])" : ""
        var drawn = try Figure.images(
            pictures, titles: titles, columns: min(8, Int(Double(units.count).squareRoot().rounded(.up))),
            title: layer.map { "\($0): \(maximizer.unitCount) filters\(range)" } ?? "",
            theme: figure.chosenTheme)
        if units.count == 1 { drawn.size = (4.5, 4.8) }
        return drawn
    }

    private func maximizer(_ model: any ModelProtocol) throws -> ActivationMaximizer {
        guard let layer else { return try ActivationMaximizer(model) }
        let shape = try model.inputShape
        let isLarge = shape.rank == 3 && (shape.hasOpenExtents || min(shape[0], shape[1]) > Self.patternSize)
        // What lies behind dense layers takes images of one size.
        let size = Size2D(Self.patternSize, Self.patternSize)
        if isLarge, let small = try? ActivationMaximizer(model, layer: layer, size: size, beforeReLU: true) {
            return small
        }
        return try ActivationMaximizer(model, layer: layer, beforeReLU: true)
    }

    private func units(of maximizer: ActivationMaximizer, _ names: [String]) throws -> [Int] {
        if let className { return [try classNumber(className, names)] }
        let first = details.first ?? 0
        guard first < maximizer.unitCount else {
            throw CommandError(
                "--first \(first): there are \(maximizer.unitCount) patterns, 0 to \(maximizer.unitCount - 1)"
            )
        }
        return Array(first..<min(maximizer.unitCount, first + Self.patternCount))
    }

    // MARK: Embedding

    /// Where images lie as the last layer sees them.
    func embedding(_ saved: SavedModel) async throws -> Figure {
        let images = try await TestImages(embedding ?? "", for: saved, file: file)
        let total = images.examples.count ?? 0
        let count = min(total, details.images ?? 1_000)
        // All over the data, which may be ordered by class.
        let part = try images.examples.subset((0..<count).map { $0 * total / count })
        let extractor = try saved.model.featureExtractor(upTo: layer)
        let failed = FailedElements()
        let examples = try await withProgress("features") { progress in
            try await Predictor(extractor).features(
                of: part, onError: .skip(failed), progress: { progress(Double($0) / Double(count)) })
        }
        if failed.count > 0 { warn("left out \(failed.count) pictures that cannot be read") }
        let labels = examples.targets.first.map(Self.labels) ?? []
        let title = "\(labels.count) \(images.description)"
        let features = examples.inputs[0]
        switch try details.chosenProjection {
        case .pca:
            let components = try PrincipalComponents(of: features)
            let axes = components.varianceShares.enumerated().map {
                "component \($0 + 1), \(String(format: "%.0f", $1 * 100)) % of the variance"
            }
            return try Figure.embedding(
                components.project(features), labels: labels, classNames: images.classNames,
                axes: (axes[0], axes[1]), title: title, theme: figure.chosenTheme)
        case .tsne:
            let points = try await withProgress("t-SNE") { progress in
                try await TSNE(perplexity: min(30, max(1.01, Double(labels.count - 1) / 3))).embed(
                    Self.shortened(features), progress: progress)
            }
            return try Figure.embedding(
                points, labels: labels, classNames: images.classNames, title: title + " (t-SNE)",
                theme: figure.chosenTheme)
        }
    }

    /// Of long rows the first 50 principal components.
    private static func shortened(_ features: TensorValue) throws -> TensorValue {
        let most = 50
        guard features.shape[1] > most, features.shape[0] > most else { return features }
        return try PrincipalComponents(of: features, count: most).project(features)
    }

    /// Class numbers, one-hot rows or binary targets as class numbers.
    private static func labels(_ targets: TensorValue) -> [Int] {
        let numbers = targets.floats
        let width = numbers.count / max(1, targets.shape[0])
        guard width > 1 else { return numbers.map { Int(exactly: $0.rounded()) ?? -1 } }
        return stride(from: 0, to: numbers.count, by: width).map { start in
            (0..<width).max { numbers[start + $0] < numbers[start + $1] } ?? 0
        }
    }
}
