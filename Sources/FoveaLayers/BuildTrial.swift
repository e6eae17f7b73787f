import FoveaGraph
import Synchronization

/// Building layers to see what shapes they give, which leaves no trace in them: their parameters' variables are kept here, and
/// are found through the task while the layers are called.
final class BuildTrial: Sendable {
    @TaskLocal static var current: BuildTrial?

    private let variables = Mutex<[ObjectIdentifier: Variable]>([:])

    func variable(of parameter: Parameter) -> Variable? {
        variables.withLock { $0[ObjectIdentifier(parameter)] }
    }

    func add(_ variable: Variable, for parameter: Parameter) {
        variables.withLock { $0[ObjectIdentifier(parameter)] = variable }
    }

    /// The shapes of what a layer gives for inputs of the given shapes, batch axis included.
    static func outputShapes(of layer: any Layer, for inputs: [Shape]) throws(ShapeError) -> [Shape] {
        let trial = BuildTrial()
        let result = $current.withValue(trial) {
            Result { () throws(ShapeError) in
                var scope = BuildScope(seed: 0, trial: trial)
                try layer.checkInputs(inputs)
                try layer.build(inputs: inputs, in: &scope)
                return try layer.apply(to: inputs.map { Tensor.argument("input", $0) }).map(\.shape)
            }
        }
        return try result.get()
    }
}

extension LayerOutput {
    /// The shape of it for one example, without the batch axis, while a model is being written: what comes next may depend on
    /// it. Layers are tried out for it and get no parameters; the model that they become part of builds them.
    ///
    /// ```swift
    /// var x = Conv2D(filters: 16, kernelSize: 3)(images)
    /// while try x.shape[0] > 7 { x = MaxPooling2D()(x) }
    /// ```
    ///
    /// - Throws: `ShapeError`, naming the layer, when layers do not fit together or an argument is out of range.
    public var shape: Shape {
        get throws(ShapeError) {
            switch origin {
            case .input(let input): return input.shape
            case .call(let call):
                guard call.hasOpenInputs else { return try shape(of: call, openExtents: 0) }
                let (size, first) = try OpenExtents.firstThatWorks { size throws(ShapeError) in
                    try shape(of: call, openExtents: size)
                }
                let other = try shape(of: call, openExtents: 2 * size)
                return first.merged(with: other) ?? first
            }
        }
    }

    private func shape(of call: LayerCall, openExtents size: Int) throws(ShapeError) -> Shape {
        let shapes = try call.outputShapes(openExtents: size)
        guard shapes.indices.contains(index) else {
            throw ShapeError(sourceName, "it has \(shapes.count) outputs, there is no \(index)")
        }
        return Shape(Array(shapes[index].dimensions.dropFirst()))
    }

    /// Batch axis included; nil where the call that gives it has not been tried out.
    fileprivate func knownShape(openExtents size: Int) -> Shape? {
        switch origin {
        case .input(let input): Shape([Shape.batch] + input.shape.with(openExtents: size).dimensions)
        case .call(let call):
            call.knownShapes(openExtents: size).flatMap { $0.indices.contains(index) ? $0[index] : nil }
        }
    }
}

extension LayerCall {
    /// Whether it depends on an input that leaves extents open.
    fileprivate var hasOpenInputs: Bool {
        var (stack, seen) = ([self], Set([self]))
        while let call = stack.popLast() {
            // One that was tried out without a size for them has none.
            if call.knownShapes(openExtents: 0) != nil { continue }
            for input in call.inputs {
                switch input.origin {
                case .input(let input): if input.shape.hasOpenExtents { return true }
                case .call(let call): if seen.insert(call).inserted { stack.append(call) }
                }
            }
        }
        return false
    }

    /// The shapes of what it gives, batch axis included. Each call is tried out once for a size of open extents.
    fileprivate func outputShapes(openExtents size: Int) throws(ShapeError) -> [Shape] {
        // An explicit stack: models may be deeper than the call stack allows.
        var stack = [self]
        while let call = stack.last {
            if call.knownShapes(openExtents: size) != nil {
                stack.removeLast()
                continue
            }
            let inputs = call.inputs
            let untried = inputs.compactMap { input -> LayerCall? in
                if case .call(let call) = input.origin, call.knownShapes(openExtents: size) == nil {
                    call
                } else {
                    nil
                }
            }
            if !untried.isEmpty {
                stack += untried
                continue
            }
            do throws(ShapeError) {
                let shapes = inputs.compactMap { $0.knownShape(openExtents: size) }
                guard shapes.count == inputs.count else {
                    throw call.layer.error("it reads an output that the layer before it does not have")
                }
                call.remember(
                    try BuildTrial.outputShapes(of: call.layer, for: shapes), openExtents: size)
            } catch {
                throw error.inside(LayerOutput(origin: .call(call), index: 0).sourceName)
            }
        }
        return knownShapes(openExtents: size) ?? []
    }
}
