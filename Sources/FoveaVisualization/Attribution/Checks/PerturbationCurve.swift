import Foundation
import FoveaGraph

/// How a class's probability changes as the pixels of an input go, or come, in the order of their importance.
///
/// A map that has found what decides makes the probability fall soon when pixels are deleted, so that the area is small, and rise
/// soon when they are inserted, so that it is large. Petsiuk et al. 2018, "RISE: randomized input sampling for explanation of
/// black-box models", arXiv:1806.07421.
public struct PerturbationCurve: Sendable {
    /// What is done to the pixels.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The most important ones go first.
        case deletion
        /// The most important ones come first.
        case insertion
    }

    public let kind: Kind
    /// What part of the pixels has gone or come, from 0 to 1.
    public let fractions: [Double]
    /// The class's probability for each fraction.
    public let probabilities: [Double]

    /// The area under the curve, by trapezoids, in 0…1: of deletions the smaller, of insertions the larger the better.
    public var area: Double {
        zip(fractions.indices, fractions.indices.dropFirst()).reduce(0) { sum, places in
            let width = fractions[places.1] - fractions[places.0]
            return sum + width * (probabilities[places.0] + probabilities[places.1]) / 2
        }
    }
}

/// What pixels are replaced with to take their information away.
public enum PixelReplacement: Hashable, Sendable {
    /// One number for all, such as 0 for black.
    case constant(Float)
    /// The mean of each channel of the input.
    case mean
    /// The input after a Gaussian blur with this deviation in pixels; the border's pixels go on beyond it.
    case blurred(deviation: Double)
}

extension Explainer {
    /// The curve of an attribution's map.
    ///
    /// - Parameters:
    ///   - kind: whether pixels go or come.
    ///   - attribution: what this explainer has given.
    ///   - steps: in how many equal parts pixels go or come.
    ///   - replacement: what stands where a pixel has gone or has not come yet. When nil the channels' mean for deletions and the
    ///     input blurred with a deviation of 5 pixels for insertions, as the paper has it.
    ///   - batchSize: how many inputs are computed at once.
    /// - Throws: `InsightError` for arguments out of range.
    public func curve(
        _ kind: PerturbationCurve.Kind, of attribution: Attribution, steps: Int = 50,
        replacement: PixelReplacement? = nil, batchSize: Int = 32
    ) async throws -> PerturbationCurve {
        try await curve(
            kind, ranking: attribution.map, of: attribution.inputs, class: attribution.classIndex,
            steps: steps, replacement: replacement, batchSize: batchSize)
    }

    /// The curve of any map, such as a random one that others are compared with.
    ///
    /// - Parameters:
    ///   - kind: whether pixels go or come.
    ///   - map: the importance of each pixel, `[height, width]` of the input; sequences have the height 1. Of equal ones those
    ///     further up and left go first.
    ///   - inputs: one example, `[1, …]` for each input of the model.
    ///   - classIndex: whose probability is looked at.
    ///   - steps: as for attributions.
    ///   - replacement: as for attributions.
    ///   - batchSize: as for attributions.
    /// - Throws: `InsightError` for arguments that do not fit or are out of range, and for maps with NaN.
    public func curve(
        _ kind: PerturbationCurve.Kind, ranking map: TensorValue, of inputs: [TensorValue],
        class classIndex: Int, steps: Int = 50, replacement: PixelReplacement? = nil, batchSize: Int = 32
    ) async throws -> PerturbationCurve {
        let size = try explainedSize
        guard map.shape == [size.height, size.width] else {
            throw InsightError.wrongShape(
                "the map", map.shape, expected: "\(Shape([size.height, size.width])), a number for each pixel"
            )
        }
        guard map.isFinite else { throw InsightError.notFinite("the map", model: model.displayName) }
        for (name, number) in [("steps", steps), ("batchSize", batchSize)]
        where !(1...100_000).contains(number) {
            throw InsightError.invalidArgument(name, "\(number)", expected: "from 1 to 100000")
        }
        guard (0..<scores.count).contains(classIndex) else {
            throw InsightError.invalidArgument(
                "the class", "\(classIndex)", expected: "from 0 to \(scores.count - 1)")
        }
        let (values, count) = try arguments.checked(inputs)
        guard count == 1 else {
            throw InsightError.invalidArgument("the number of examples", "\(count)", expected: "1")
        }
        let question = Question(
            inputs: values, count: 1, classIndex: classIndex, method: .gradCAM, layer: nil,
            batchSize: batchSize)
        let base = try replaced(
            values[inputIndex],
            replacement ?? (kind == .deletion ? .mean : .blurred(deviation: 5)))
        let importance = map.floats
        let order = importance.indices.sorted { (importance[$1], $0) < (importance[$0], $1) }
        var rank = [Int](repeating: 0, count: order.count)
        for (place, pixel) in order.enumerated() { rank[pixel] = place }
        let ranks = rank
        let counts = (0...steps).map { order.count * $0 / steps }
        let decisions: [Decision] = try await Compute.run {
            try self.decisions(question, class: classIndex, base: base, count: counts.count) { index in
                ranks.map { rank -> Float in (rank < counts[index]) == (kind == .insertion) ? 1 : 0 }
            }
        }
        return PerturbationCurve(
            kind: kind, fractions: counts.map { Double($0) / Double(order.count) },
            probabilities: decisions.map { Double($0.probability) })
    }

    /// What is seen instead of an input `[1, …]`, laid out as it is.
    private func replaced(_ input: TensorValue, _ replacement: PixelReplacement) throws -> [Float] {
        let elements = input.floats
        switch replacement {
        case .constant(let number):
            guard number.isFinite else {
                throw InsightError.invalidArgument(
                    "the replacement", "\(number)", expected: "a finite number")
            }
            return elements.map { _ in number }
        case .mean:
            return try changingPlanes(of: elements) { plane in
                let mean = Float(
                    plane.elements.reduce(0.0) { $0 + Double($1) } / Double(plane.elements.count))
                return plane.elements.map { _ in mean }
            }
        case .blurred(let deviation):
            guard deviation > 0, deviation <= 1_000 else {
                throw InsightError.invalidArgument(
                    "the blur's deviation", "\(deviation)", expected: "positive and at most 1000 pixels")
            }
            return try changingPlanes(of: elements) { $0.blurred(deviation: deviation).elements }
        }
    }

    /// Changes each channel of one example.
    private func changingPlanes(
        of elements: [Float], _ change: (HeatMap) -> [Float]
    ) throws -> [Float] {
        let size = try explainedSize
        let count = size.height * size.width
        let channels = elements.count / count
        let areLast = inputFormat == .channelsLast
        var result = elements
        for channel in 0..<channels {
            func place(_ pixel: Int) -> Int {
                areLast ? pixel * channels + channel : channel * count + pixel
            }
            let plane = HeatMap(
                height: size.height, width: size.width, (0..<count).map { elements[place($0)] })
            for (pixel, element) in change(plane).enumerated() { result[place(pixel)] = element }
        }
        return result
    }
}

extension HeatMap {
    /// Both sides blurred with a Gaussian of which everything beyond three deviations is left out.
    func blurred(deviation: Double) -> HeatMap {
        let reach = max(1, Int((3 * deviation).rounded(.up)))
        let weights = (-reach...reach).map {
            Float(exp(-0.5 * (Double($0) / deviation) * (Double($0) / deviation)))
        }
        let sum = weights.reduce(0, +)
        func blurred(_ line: [Float]) -> [Float] {
            line.indices.map { place in
                var total: Float = 0
                for (index, weight) in weights.enumerated() {
                    total += weight * line[min(max(place + index - reach, 0), line.count - 1)]
                }
                return total / sum
            }
        }
        let rows = (0..<height).flatMap { blurred(Array(elements[($0 * width)..<(($0 + 1) * width)])) }
        var result = rows
        for column in 0..<width {
            let line = blurred((0..<height).map { rows[$0 * width + column] })
            for (row, element) in line.enumerated() { result[row * width + column] = element }
        }
        return HeatMap(height: height, width: width, result)
    }
}
