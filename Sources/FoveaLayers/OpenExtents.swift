import FoveaGraph

/// Inputs that leave extents open, such as `[nil, nil, 3]` for images of any size.
///
/// A graph has a size, so a model of such inputs is called anew for each that comes, always with the same parameters. It is built
/// at two sizes: parameters must come out alike, and extents of what layers give that differ are open, too.
enum OpenExtents {
    /// What is tried for every open extent: networks have a smallest size that they can work on.
    private static let sizes = [64, 128, 256, 512, 1024]

    /// The first size with which an attempt succeeds, and the attempt's result.
    ///
    /// - Throws: what the last attempt throws.
    static func firstThatWorks<Result>(
        _ attempt: (Int) throws(ShapeError) -> Result
    ) throws(ShapeError) -> (size: Int, result: Result) {
        var failure: ShapeError?
        for size in sizes {
            do { return (size, try attempt(size)) } catch { failure = error }
        }
        throw failure ?? ShapeError("open extents", "no size was tried")
    }

    /// A size at which a model can be built, found without a trace in its layers.
    ///
    /// - Throws: `ShapeError` when there is none, or a parameter depends on the size.
    static func size(for model: any ModelProtocol, _ inputs: [Shape]) throws(ShapeError) -> Int {
        let (size, trial) = try firstThatWorks { size throws(ShapeError) in
            let trial = BuildTrial()
            try trial.build(model, inputs.map { $0.with(openExtents: size) })
            return trial
        }
        try trial.build(model, inputs.map { $0.with(openExtents: 2 * size) }, isOtherSize: true)
        return size
    }
}

extension BuildTrial {
    fileprivate func build(
        _ layer: any Layer, _ inputs: [Shape], isOtherSize: Bool = false
    ) throws(ShapeError) {
        let result = BuildTrial.$current.withValue(self) {
            Result { () throws(ShapeError) in
                var scope = BuildScope(seed: 0, elementLimit: .max, trial: self)
                scope.isOtherSize = isOtherSize
                try layer.build(inputs: inputs, in: &scope)
            }
        }
        try result.get()
    }
}

extension ModelProtocol {
    /// Builds the model for its own inputs, batch axes included.
    func build(
        own inputs: [Shape], seed: UInt64, elementLimit: Int
    ) throws(ShapeError) {
        do throws(ShapeError) {
            var scope = BuildScope(seed: seed, elementLimit: elementLimit)
            guard inputs.contains(where: \.hasOpenExtents) else {
                try build(inputs: inputs, in: &scope)
                return
            }
            let size = try OpenExtents.size(for: self, inputs)
            try build(inputs: inputs.map { $0.with(openExtents: size) }, in: &scope)
            scope = BuildScope(seed: seed, elementLimit: elementLimit)
            scope.isOtherSize = true
            try build(inputs: inputs.map { $0.with(openExtents: 2 * size) }, in: &scope)
        } catch { throw error.inside(displayName) }
    }

    /// Whether one model serves several sizes of inputs.
    public var hasOpenInputs: Bool { modelInputs.contains { $0.shape.hasOpenExtents } }

    /// The model called once, where what is asked does not depend on the size: open extents have one that it takes.
    ///
    /// - Parameter name: what the graph calls an input of the model.
    package func exampleCall(
        named name: (String) -> String = { $0 }
    ) throws(ShapeError) -> (inputs: [Tensor], outputs: [Tensor]) {
        func call(_ size: Int) throws(ShapeError) -> ([Tensor], [Tensor]) {
            let inputs = modelInputs.map { Tensor.input(name($0.name), $0.shape.with(openExtents: size)) }
            return (inputs, try outputs(for: inputs))
        }
        return hasOpenInputs ? try OpenExtents.firstThatWorks(call).result : try call(0)
    }
}

extension Shape {
    /// One example's shape as files have it: `[null, 28, 28, 1]`, null for the batch axis and for extents that are open.
    package var configuration: ConfigurationValue {
        .list([.null] + dimensions.map { $0 == Shape.open ? .null : .integer($0) })
    }

    /// What layers gave for inputs of one size, and of another: extents that differ are open.
    static func merged(_ shapes: [Shape], _ others: [Shape]) -> [Shape] {
        zip(shapes, others).map { $0.merged(with: $1) ?? $0 }
    }
}
