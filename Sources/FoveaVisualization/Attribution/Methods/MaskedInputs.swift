import Foundation
import FoveaGraph

// What a model says of inputs of which parts are covered.

extension Explainer {
    /// Decisions for one example seen through masks: `x · m + base · (1 - m)` with the same mask for all channels.
    ///
    /// - Parameters:
    ///   - question: one example.
    ///   - classIndex: whose scores.
    ///   - base: what is seen where a mask is 0, laid out as the explained input.
    ///   - count: how many masks there are.
    ///   - mask: a number for each pixel of the input, row by row.
    @Compute
    func decisions(
        _ question: Question, class classIndex: Int, base: [Float], count: Int, mask: (Int) -> [Float]
    ) throws -> [Decision] {
        let step = try maskedStep()
        let input = question.inputs[inputIndex]
        let size = try explainedSize
        var decisions: [Decision] = []
        for start in stride(from: 0, to: count, by: question.batchSize) {
            let rows = min(question.batchSize, count - start)
            var masks: [Float] = []
            masks.reserveCapacity(rows * size.height * size.width)
            for index in start..<(start + rows) { masks += mask(index) }
            var values = values(question.inputs.map { $0.repeated(rows) }, class: classIndex)
            values["base"] = TensorValue(unchecked: input.shape, .float32(base)).repeated(rows)
            values["mask"] = TensorValue(
                unchecked: [rows, size.height, size.width, 1], .float32(masks))
            decisions += Self.decisions(try step.run(runner, values))
        }
        return decisions
    }

    @Compute
    private func maskedStep() throws -> PartialStep {
        try step(.masked) {
            let argument = arguments.tensors[inputIndex]
            let size = try explainedSize
            let base = Tensor.input("base", arguments.inputs[inputIndex].shape)
            // With one channel, the same numbers stand in the same order wherever the channels are.
            let mask = try Tensor.input("mask", [size.height, size.width, 1]).reshaped(to: maskShape)
            let mixed = try argument * mask + base * (1 - mask)
            let selected = try scores.selected(score, chosenClass)
            return Tensor.substituting(
                [argument: mixed], in: [selected.chosen, selected.score, selected.probability])
        }
    }

    /// How much the score falls where windows over the input are covered.
    @Compute
    func occlusion(
        _ question: Question, _ decision: Decision, window: Size2D?, stride: Size2D?, fill: Float
    ) throws -> TensorValue {
        let size = try explainedSize
        func part(_ extent: Int, _ divisor: Int) -> Int { max(1, extent / divisor) }
        let wanted = window ?? Size2D(part(size.height, 8), part(size.width, 8))
        let window = Size2D(min(wanted.height, size.height), min(wanted.width, size.width))
        let stride = stride ?? Size2D(part(window.height, 2), part(window.width, 2))
        let tops = Self.starts(size.height, window.height, stride.height)
        let lefts = Self.starts(size.width, window.width, stride.width)
        let regions = tops.flatMap { top in
            lefts.map { left in
                PixelRegion(rows: top..<(top + window.height), columns: left..<(left + window.width))
            }
        }
        let base = [Float](repeating: fill, count: question.inputs[inputIndex].storage.count)
        let covered = try decisions(
            question, class: decision.classIndex, base: base, count: regions.count
        ) { regions[$0].mask(in: size) }
        var sums = [Double](repeating: 0, count: size.height * size.width)
        var counts = sums
        for (region, other) in zip(regions, covered) {
            for row in region.rows {
                for place in region.columns.map({ row * size.width + $0 }) {
                    sums[place] += Double(decision.score) - Double(other.score)
                    counts[place] += 1
                }
            }
        }
        return HeatMap(
            height: size.height, width: size.width, zip(sums, counts).map { Float($0 / max($1, 1)) }
        ).value
    }

    /// Where windows begin, the last one at the end.
    private static func starts(_ extent: Int, _ window: Int, _ step: Int) -> [Int] {
        let last = extent - window
        var starts = Array(Swift.stride(from: 0, through: last, by: step))
        if starts.last != last { starts.append(last) }
        return starts
    }

    /// Feature maps weighted by the scores of the input seen through them.
    @Compute
    func scoreCAM(_ question: Question, _ decision: Decision) throws -> TensorValue {
        guard let layer = question.layer else { return TensorValue(0) }
        let step = try step(.features(layer: layer.path)) { [try layer.images] }
        let features = try step.run(runner, values(question.inputs, class: nil))[0][0]
        let (height, width, channels) = (features.shape[0], features.shape[1], features.shape[2])
        let elements = features.floats
        let size = try explainedSize
        let maps = (0..<channels).map { channel in
            HeatMap(
                height: height, width: width,
                stride(from: channel, to: elements.count, by: channels).map { elements[$0] })
        }
        let changing = maps.filter { map in map.elements.contains { $0 != map.elements[0] } }
        let base = [Float](repeating: 0, count: question.inputs[inputIndex].storage.count)
        let seen = try decisions(
            question, class: decision.classIndex, base: base, count: changing.count
        ) { changing[$0].resized(to: size).stretched }
        let weights = Self.softmax(seen.map { Double($0.score) })
        var sums = [Double](repeating: 0, count: height * width)
        for (map, weight) in zip(changing, weights) {
            for place in sums.indices { sums[place] += weight * Double(map.elements[place]) }
        }
        return HeatMap(height: height, width: width, sums.map { Float($0 > 0 || $0.isNaN ? $0 : 0) }).value
    }

    private static func softmax(_ scores: [Double]) -> [Double] {
        let greatest = scores.max() ?? 0
        let powers = scores.map { exp($0 - greatest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }
}

extension PixelRegion {
    /// 0 in the region and 1 outside.
    fileprivate func mask(in size: Size2D) -> [Float] {
        var mask = [Float](repeating: 1, count: size.height * size.width)
        for row in rows { for column in columns { mask[row * size.width + column] = 0 } }
        return mask
    }
}

extension HeatMap {
    /// The elements scaled so that the least is 0 and the greatest 1; zeros where all are equal.
    fileprivate var stretched: [Float] {
        let (least, greatest) = (elements.min() ?? 0, elements.max() ?? 0)
        let range = greatest - least
        return range > 0 ? elements.map { ($0 - least) / range } : elements.map { _ in 0 }
    }
}
