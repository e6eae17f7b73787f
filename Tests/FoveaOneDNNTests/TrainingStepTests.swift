import FoveaGraph
import FoveaOneDNN
import FoveaPlanner
import FoveaRuntime
import Testing

/// Whole training steps: everything that the planner fuses, moves and lays out differently at once.
@Suite struct TrainingStepTests {
    /// A convolutional network with every kind of join between layouts.
    struct Network {
        var variables: [Variable] = []
        var outputs: [Tensor] = []
        var updates: [Update] = []

        /// - Parameter channels: of the two convolutions; 16 divides into blocks, 20 and 6 need padding.
        init(channels: [Int], image: Shape, hidden: Int, momentum: Bool = true) throws {
            var generator = PhiloxGenerator(seed: 7, stream: 0, step: 0)
            func variable(_ name: String, _ shape: Shape, _ scale: Double) throws -> Tensor {
                let values = (0..<shape.elementCount).map { _ in Float((generator.uniform() * 2 - 1) * scale)
                }
                let variable = Variable(name: name, initial: try TensorValue(shape: shape, values))
                variables.append(variable)
                return Tensor(variable)
            }
            let pool = SlidingWindow(2, strides: 2)
            var x = try Tensor.input("images", image, .uint8).cast(to: .float32) / 255
            var inputChannels = image.channels
            for (layer, count) in channels.enumerated() {
                let kernel = try variable("conv\(layer)/kernel", [3, 3, inputChannels, count], 0.4)
                let bias = try variable("conv\(layer)/bias", [count], 0.2)
                x = try (x.convolved(with: kernel) + bias).relu().maxPooled(pool)
                inputChannels = count
            }
            let features = x.shape.dimensions.dropFirst().reduce(1, *)
            x = try x.reshaped(to: [Shape.batch, features])
            let w1 = try variable("dense/kernel", [features, hidden], 0.2)
            let b1 = try variable("dense/bias", [hidden], 0.1)
            x = try (Tensor.matmul(x, w1) + b1).relu()
            let keep = try Tensor.randomUniform(x.shape).greaterOrEqual(0.25)
            let dropped = try Tensor.select(keep, x / 0.75, .filled(0, x.shape))
            x = try .select(.isTraining, dropped, x)
            let w2 = try variable("logits/kernel", [hidden, 5], 0.4)
            let b2 = try variable("logits/bias", [5], 0.1)
            let logits = try Tensor.matmul(x, w2) + b2
            let labels = Tensor.input("labels", .scalar, .int32)
            let loss = try (logits.logSoftmax() * labels.oneHot(depth: 5)).sum(axes: [1]).mean().negated()
            let hits = try logits.argMax().equal(labels).cast(to: .float32).sum()
            outputs = [loss, hits, logits]

            let gradients = try gradient(of: loss, withRespectTo: variables.map { Tensor($0) })
            let rate = Tensor.argument("learning_rate")
            for (variable, gradient) in zip(variables, gradients) {
                guard momentum else {
                    updates.append(try Update(variable, to: Tensor(variable) - rate * gradient))
                    continue
                }
                let velocity = Variable(
                    name: variable.name + "/velocity",
                    initial: TensorValue(repeating: 0.01, shape: variable.shape))
                let next = try Tensor(velocity) * 0.9 - rate * gradient
                updates.append(try Update(velocity, to: next))
                updates.append(try Update(variable, to: Tensor(variable) + next))
            }
        }
    }

    /// Runs some steps and returns the last outputs and every variable's value.
    @Compute
    static func train(
        _ network: Network, on backend: any Backend, image: Shape, batch: Int, steps: Int
    ) throws -> [(name: String, value: TensorValue)] {
        let executable = try backend.compile(
            outputs: network.outputs, updates: network.updates, mode: .training, batch: batch)
        var generator = PhiloxGenerator(seed: 11, stream: 1, step: 0)
        var last: [TensorValue] = []
        for step in 0..<steps {
            let shape = Shape([batch] + image.dimensions)
            let pixels = (0..<shape.elementCount).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            let labels = (0..<batch).map { _ in Int32(generator.next() % 5) }
            last = try executable.run(
                [
                    "images": TensorValue(shape: shape, storage: .uint8(pixels)),
                    "labels": TensorValue(labels), "learning_rate": TensorValue(0.05),
                ], step: UInt64(step), seed: 3)
        }
        return try last.enumerated().map { ("output \($0.offset)", $0.element) }
            + network.updates.map { ($0.variable.name, try $0.variable.value()) }
    }

    @Test(arguments: [
        ([16, 32], Shape([14, 14, 1]), 4), ([32, 16], Shape([13, 17, 3]), 3),
        ([20, 6], Shape([12, 11, 3]), 2),
        ([3, 5], Shape([10, 13, 1]), 1), ([16, 48], Shape([16, 15, 16]), 5),
        ([8, 8], Shape([14, 12, 2]), 1),
    ])
    func equalsReference(channels: [Int], image: Shape, batch: Int) async throws {
        let results = try await [
            ReferenceBackend() as any Backend, OneDNNBackend(), OneDNNBackend(precision: .strict),
        ]
        .map { backend in
            (backend, try Network(channels: channels, image: image, hidden: 24))
        }.asyncMap { backend, network in
            try await Self.train(network, on: backend, image: image, batch: batch, steps: 3)
        }
        for (candidate, tolerance) in [(1, 1e-3), (2, 1e-4)] {
            for (expected, actual) in zip(results[0], results[candidate]) {
                let largest = expected.value.doubles.map(abs).max() ?? 0
                let worst = zip(expected.value.doubles, actual.value.doubles).map { abs($0 - $1) }.max() ?? 0
                #expect(worst <= tolerance * max(largest, 1e-3), "\(expected.name): \(worst) of \(largest)")
            }
        }
    }
}

extension Sequence {
    func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
