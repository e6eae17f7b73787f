import FoveaGraph
import FoveaLayers

/// Stands in for a `Normalization` whose mean and variance are among the weights of Keras's file, until these have been read:
/// Fovea's layer has them as settings.
final class AdaptedNormalization: UnaryLayer {
    static let typeName = "Normalization (adapted)"
    let name: String?
    let axis: Int
    /// Whether one mean and one variance serve all channels.
    let servesAll: Bool
    let mean = Parameter("mean", initializer: .zeros, isLearned: false)
    let variance = Parameter("variance", initializer: .ones, isLearned: false)
    /// How many numbers Keras has seen, which is of no use here.
    let count = Parameter("count", initializer: .zeros, isLearned: false)
    var ownParameters: [Parameter] { [mean, variance, count] }

    init(name: String?, configuration: inout ConfigurationReader) throws(ConfigurationError) {
        axis = try configuration.integer("axis")
        servesAll = try configuration.bool("serves_all")
        self.name = name
    }

    var configuration: Configuration { ["axis": .integer(axis), "serves_all": .bool(servesAll)] }

    func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        let place = axis < 0 ? axis + input.rank : axis
        guard servesAll || (1..<max(1, input.rank)).contains(place) else {
            throw ShapeError("Normalization", "axis \(axis) is none of an example", shapes: [input])
        }
        let shape: Shape = servesAll ? .scalar : [input[place]]
        try mean.declare(shape: shape, in: &scope)
        try variance.declare(shape: shape, in: &scope)
        try count.declare(shape: .scalar, in: &scope)
    }

    func call(_ x: Tensor) throws(ShapeError) -> Tensor { x }

    /// The settings of the layer that it stands for, with the numbers that were read.
    @Compute
    func adapted() throws -> Configuration {
        func numbers(_ parameter: Parameter) throws -> ConfigurationValue {
            .list(try parameter.variable?.value().floats.map { .number(Double($0)) } ?? [])
        }
        return ["axis": .integer(axis), "mean": try numbers(mean), "variance": try numbers(variance)]
    }
}

/// Whether a configuration has a layer that must be replaced.
func needsAdapting(_ value: ConfigurationValue) -> Bool {
    switch value {
    case .object(let members):
        members["class_name"] == .string(AdaptedNormalization.typeName)
            || members.values.contains(where: needsAdapting)
    case .list(let elements): elements.contains(where: needsAdapting)
    default: false
    }
}
