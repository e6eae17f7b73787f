/// Whether maps point at what they are of: how often the greatest number of an attribution's map lies on the object. Zhang et al.
/// 2016, "Top-down neural attention by excitation backprop", arXiv:1608.00507.
public struct PointingGame: Hashable, Sendable {
    public private(set) var hits = 0
    public private(set) var misses = 0
    /// How many pixels beside an object still count as on it; 15 in the paper, for photographs.
    public let tolerance: Int

    /// - Parameter tolerance: how many pixels beside an object still count as on it.
    public init(tolerance: Int = 0) { self.tolerance = tolerance }

    /// What part of the maps pointed at their objects; NaN before the first.
    public var accuracy: Double { Double(hits) / Double(hits + misses) }

    /// Adds a map, which misses where it is 0 everywhere.
    ///
    /// - Parameters:
    ///   - attribution: its map's peak counts.
    ///   - objects: where the class is in the input; several when it is there several times.
    public mutating func add(_ attribution: Attribution, objects: [PixelRegion]) {
        let (row, column) = attribution.peak
        let points = attribution.map.floats.contains { $0 > 0 }
        let isHit = objects.contains { object in
            let rows = (object.rows.lowerBound - tolerance)..<(object.rows.upperBound + tolerance)
            let columns = (object.columns.lowerBound - tolerance)..<(object.columns.upperBound + tolerance)
            return PixelRegion(rows: rows, columns: columns).contains(row: row, column: column)
        }
        if points && isHit { hits += 1 } else { misses += 1 }
    }
}
