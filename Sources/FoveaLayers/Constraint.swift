import FoveaGraph

/// A rule that a parameter keeps to: applied to its values after each step of training.
///
/// Norms are taken over `axes`: `[0]` for dense kernels `[inputs, units]`, `[0, 1, 2]` for those of 2-D convolutions, so that
/// each unit or filter is held by itself. As in Keras, `1e-7` is added to norms that are divided by.
public enum Constraint: Hashable, Sendable {
    /// Scales what is longer than `maximum` to that length: `w · min(‖w‖, maximum) / ‖w‖`. Srivastava et al. 2014, "Dropout".
    case maxNorm(_ maximum: Double = 2, axes: [Int] = [0])
    /// `max(w, 0)`
    case nonNegative
    /// `w / ‖w‖`
    case unitNorm(axes: [Int] = [0])
    /// Moves lengths towards the range: `w · (rate · clip(‖w‖, minimum, maximum) + (1 - rate) · ‖w‖) / ‖w‖`.
    case minMaxNorm(minimum: Double = 0, maximum: Double = 1, rate: Double = 1, axes: [Int] = [0])

    /// The nearest values that keep to the rule.
    ///
    /// - Throws: `ShapeError` when the tensor lacks an axis or a setting makes no sense.
    public func callAsFunction(_ w: Tensor) throws(ShapeError) -> Tensor {
        switch self {
        case .nonNegative: return try w.relu()
        case .unitNorm(let axes): return try w / (norm(w, axes) + 1e-7)
        case .maxNorm(let maximum, let axes):
            try check(maximum.isFinite && maximum >= 0, w)
            let norm = try norm(w, axes)
            return try w * (Tensor.minimum(norm, Float(maximum)) / (norm + 1e-7))
        case .minMaxNorm(let minimum, let maximum, let rate, let axes):
            try check(0 <= minimum && minimum <= maximum && maximum.isFinite && (0...1).contains(rate), w)
            let norm = try norm(w, axes)
            let clipped = try Tensor.minimum(.maximum(norm, Float(minimum)), Float(maximum))
            return try w * ((clipped * Float(rate) + norm * Float(1 - rate)) / (norm + 1e-7))
        }
    }

    private func norm(_ w: Tensor, _ axes: [Int]) throws(ShapeError) -> Tensor {
        try (w * w).sum(axes: axes, keepDims: true).squareRoot()
    }

    private func check(_ isSound: Bool, _ w: Tensor) throws(ShapeError) {
        guard isSound else {
            throw ShapeError(
                "Constraint", "\(self): lengths must be finite, not negative and in order, the rate in 0...1",
                shapes: [w.shape])
        }
    }
}

extension Constraint {
    private enum Name: String, CaseIterable {
        case maxNorm = "MaxNorm"
        case nonNegative = "NonNeg"
        case unitNorm = "UnitNorm"
        case minMaxNorm = "MinMaxNorm"
    }

    var configuration: ConfigurationValue {
        func value(_ name: Name, _ settings: Configuration) -> ConfigurationValue {
            ["class_name": .string(name.rawValue), "config": .object(settings)]
        }
        func list(_ axes: [Int]) -> ConfigurationValue { .list(axes.map { .integer($0) }) }
        switch self {
        case .maxNorm(let maximum, let axes):
            return value(.maxNorm, ["max_value": .number(maximum), "axis": list(axes)])
        case .nonNegative: return value(.nonNegative, [:])
        case .unitNorm(let axes): return value(.unitNorm, ["axis": list(axes)])
        case .minMaxNorm(let minimum, let maximum, let rate, let axes):
            return value(
                .minMaxNorm,
                [
                    "min_value": .number(minimum), "max_value": .number(maximum), "rate": .number(rate),
                    "axis": list(axes),
                ])
        }
    }

    init(className: String, _ reader: inout ConfigurationReader) throws(ConfigurationError) {
        switch Name(rawValue: className) {
        case .maxNorm:
            self = .maxNorm(try reader.number("max_value"), axes: try reader.integers("axis"))
        case .nonNegative: self = .nonNegative
        case .unitNorm: self = .unitNorm(axes: try reader.integers("axis"))
        case .minMaxNorm:
            self = .minMaxNorm(
                minimum: try reader.number("min_value"), maximum: try reader.number("max_value"),
                rate: try reader.number("rate"), axes: try reader.integers("axis"))
        case nil:
            throw reader.unknown(
                "constraint", className, among: Name.allCases.map(\.rawValue), key: "class_name")
        }
    }
}

extension ConfigurationReader {
    /// A constraint, or nil when the key is missing.
    public mutating func constraint(_ key: String) throws(ConfigurationError) -> Constraint? {
        guard contains(key) else { return nil }
        let settings = try object(key)
        do {
            var (className, reader) = try Self.opened(settings, owner: "constraint", layerTypes: [])
            let constraint = try Constraint(className: className, &reader)
            try reader.finish()
            return constraint
        } catch { throw error.inside(key) }
    }
}
