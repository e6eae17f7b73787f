import FoveaGraph

/// What layers that scale and shift normalized numbers have in common: gamma, beta and their settings.
struct ScaleArguments: Sendable {
    /// Nil without scale.
    let gamma: Parameter?
    /// Nil without offset.
    let beta: Parameter?
    /// Kept for the configuration, also where they are not used.
    private let possibleGamma: Parameter
    private let possibleBeta: Parameter

    init(
        center: Bool, scale: Bool, betaInitializer: Initializer, gammaInitializer: Initializer,
        betaRegularizer: Regularizer?, gammaRegularizer: Regularizer?, betaConstraint: Constraint?,
        gammaConstraint: Constraint?
    ) {
        possibleGamma = Parameter(
            "gamma", initializer: gammaInitializer, regularizer: gammaRegularizer,
            constraint: gammaConstraint)
        possibleBeta = Parameter(
            "beta", initializer: betaInitializer, regularizer: betaRegularizer, constraint: betaConstraint)
        gamma = scale ? possibleGamma : nil
        beta = center ? possibleBeta : nil
    }

    var parameters: [Parameter] { [gamma, beta].compactMap(\.self) }

    func declare(shape: Shape, in scope: inout BuildScope) throws(ShapeError) {
        for parameter in parameters { try parameter.declare(shape: shape, in: &scope) }
    }

    /// `x` with gamma and beta in a shape that can be broadcast.
    ///
    /// - Parameter seen: what is made of gamma and beta before.
    func normalize(
        _ x: Tensor, mean: Tensor, variance: Tensor, epsilon: Double, as shape: Shape,
        seen: (Tensor) throws(ShapeError) -> Tensor = { $0 }
    ) throws(ShapeError) -> Tensor {
        func aligned(_ parameter: Parameter?) throws(ShapeError) -> Tensor? {
            guard let parameter else { return nil }
            return try seen(parameter.tensor).reshaped(to: shape)
        }
        return try x.normalized(
            mean: mean, variance: variance, epsilon: Float(epsilon), scale: aligned(gamma),
            offset: aligned(beta))
    }

    // MARK: Configuration

    var configuration: Configuration {
        var settings: Configuration = [
            "center": .bool(beta != nil), "scale": .bool(gamma != nil),
            "beta_initializer": possibleBeta.initializer.configuration,
            "gamma_initializer": possibleGamma.initializer.configuration,
        ]
        settings["beta_regularizer"] = possibleBeta.regularizer?.configuration
        settings["gamma_regularizer"] = possibleGamma.regularizer?.configuration
        settings["beta_constraint"] = possibleBeta.constraint?.configuration
        settings["gamma_constraint"] = possibleGamma.constraint?.configuration
        return settings
    }

    init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(
            center: try reader.bool("center"), scale: try reader.bool("scale"),
            betaInitializer: try reader.initializer("beta_initializer"),
            gammaInitializer: try reader.initializer("gamma_initializer"),
            betaRegularizer: try reader.regularizer("beta_regularizer"),
            gammaRegularizer: try reader.regularizer("gamma_regularizer"),
            betaConstraint: try reader.constraint("beta_constraint"),
            gammaConstraint: try reader.constraint("gamma_constraint"))
    }
}

extension Layer {
    /// An axis counted from the front, where it is none of examples.
    func exampleAxis(_ axis: Int, of shape: Shape) throws(ShapeError) -> Int {
        let place = axis < 0 ? axis.addingReportingOverflow(shape.rank).partialValue : axis
        guard (1..<max(shape.rank, 1)).contains(place) else {
            throw error(
                "axis \(axis) is none of an example; axis 0 is the batch, the others are "
                    + "\(shape.rank < 2 ? "missing" : "1 to \(shape.rank - 1), or -1 for the last")", shape)
        }
        return place
    }

    /// Axes counted from the front, in order.
    func exampleAxes(_ axes: [Int], of shape: Shape) throws(ShapeError) -> [Int] {
        let places = try axes.map { axis throws(ShapeError) in try exampleAxis(axis, of: shape) }.sorted()
        guard !places.isEmpty, Set(places).count == places.count else {
            throw error("axes \(axes) must name at least one axis, and none twice", shape)
        }
        return places
    }

    func checkEpsilon(_ epsilon: Double, _ shape: Shape) throws(ShapeError) {
        // Checked as the float32 that the graph holds.
        guard Float(epsilon) > 0, Float(epsilon).isFinite else {
            throw error("epsilon must be positive and finite, not \(epsilon)", shape)
        }
    }
}
