import FoveaGraph

/// Which parts of an input decided, and for what.
public struct Attribution: Sendable {
    public let method: AttributionMethod
    /// The class that is explained.
    public let classIndex: Int
    /// The model's number of that class, a logit or a probability as the explainer was asked.
    public let score: Float
    /// The class's probability.
    public let probability: Float
    /// The path of the layer whose features were looked at; nil where it was the input.
    public let layer: String?
    /// What the method gives before anything is scaled: of methods that look at a layer `[height, width]` of its features, of
    /// others a number for each of the input's, `[height, width, channels]`, of `occlusion` `[height, width]`. Sequences have
    /// the height 1.
    public let values: TensorValue
    /// A number for each pixel of the input, `[height, width]`: 0…1 with 1 the most important, or of signed methods -1…1,
    /// so that the greatest magnitude is 1; zeros when nothing counts. Of layers the maps are enlarged bilinearly, with the middles
    /// of corner pixels where they lie. Sequences have the height 1.
    public let map: TensorValue
    /// The input that was explained, `[1, …]` for each input of the model, float32.
    let inputs: [TensorValue]

    /// Where the map is greatest, the first of equals.
    public var peak: (row: Int, column: Int) {
        let place = map.floats.firstMaximum
        return (place / map.shape[1], place % map.shape[1])
    }

    /// What part of the heat of at least `threshold` lies in regions: the sum of these numbers of the map there, over their
    /// sum everywhere. 0 when there are none.
    ///
    /// - Parameters:
    ///   - regions: rows and columns of the input; pixels of several count once.
    ///   - threshold: from which number of the map on heat counts, such as half the maximum.
    public func heatShare(in regions: [PixelRegion], above threshold: Float = 0.5) -> Double {
        var (inside, all) = (0.0, 0.0)
        let width = map.shape[1]
        for (place, heat) in map.floats.enumerated() where heat >= threshold && heat > 0 {
            all += Double(heat)
            if regions.contains(where: { $0.contains(row: place / width, column: place % width) }) {
                inside += Double(heat)
            }
        }
        return all > 0 ? inside / all : 0
    }
}

/// A rectangle of pixels.
public struct PixelRegion: Hashable, Sendable {
    public var rows: Range<Int>
    public var columns: Range<Int>

    public init(rows: Range<Int>, columns: Range<Int>) {
        self.rows = rows
        self.columns = columns
    }

    public func contains(row: Int, column: Int) -> Bool {
        rows.contains(row) && columns.contains(column)
    }
}

extension [Float] {
    /// The place of the first of the greatest elements.
    var firstMaximum: Int {
        var best = 0
        for place in indices where self[place] > self[best] { best = place }
        return best
    }
}
