import Foundation
import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Optimizers, clipping and accumulation against 20 steps of Keras (Golden/make_optimizers.py).
struct OptimizerGoldenTests {
    private enum Setting: Codable, Equatable {
        case flag(Bool)
        case number(Double)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .flag(flag)
            } else {
                self = .number(try container.decode(Double.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .flag(let flag): try container.encode(flag)
            case .number(let number): try container.encode(number)
            }
        }
    }

    private struct Record: Decodable {
        let optimizer: String
        /// The settings that were given, and all of them.
        let arguments, settings: [String: Setting]
        let clipping: GradientClipping?
        let accumulation: Int
        let averaging: WeightAveraging?
        /// Parts of the names of variables that do not decay.
        let undecayed: [String]
        let after, averages: [[[Double]]]
    }

    private struct Records: Decodable {
        let shapes: [[Int]]
        let start, curvatures: [[Double]]
        let gradients: [[[Double]]]
        let steps: [Int]
        let optimizers: [Record]

        func tensors(_ lists: [[Double]]) -> [TensorValue] {
            zip(shapes, lists).map { TensorValue(shape: Shape($0), dtype: .float32, doubles: $1) }
        }
    }

    private static let defaults: [any Optimizer] = [
        SGD(), RMSprop(), Adam(), AdamW(), Adamax(), Nadam(), Adagrad(), Adadelta(), Lion(), Lamb(),
        Adafactor(),
    ]

    /// A training configuration as it is in a file.
    private struct File: Codable {
        struct Named: Codable {
            var name: String
            var settings: [String: Setting]
        }
        var optimizer: Named
        var outputs: [String: OutputTraining] = [:]
        var accumulation = 1
    }

    /// The optimizer of a record: its arguments over the defaults, which must give all of Keras's settings.
    private func optimizer(_ record: Record) throws -> any Optimizer {
        let byName = Self.defaults.first { type(of: $0).name == record.optimizer }
        let start = TrainingConfiguration(
            optimizer: try #require(byName), outputs: [:])
        var file = try JSONDecoder().decode(File.self, from: JSONEncoder().encode(start))
        file.optimizer.settings.merge(record.arguments) { $1 }
        #expect(file.optimizer.settings == record.settings, "\(record.optimizer)")
        return try JSONDecoder().decode(TrainingConfiguration.self, from: JSONEncoder().encode(file))
            .optimizer
    }

    /// The variables, and then their averages, after each of Keras's 20 steps.
    private func steps(_ record: Record, _ records: Records, on backend: any Backend) async throws
        -> [[TensorValue]]
    {
        let optimizer = try optimizer(record)
        let variables = records.tensors(records.start).enumerated().map {
            Variable(name: "\(["first", "second"][$0.offset])/kernel", initial: $0.element)
        }
        let gradients = try zip(variables, records.tensors(records.curvatures)).enumerated().map {
            let (variable, curvature) = $0.element
            return try .argument("g\($0.offset)", variable.shape) + .constant(curvature) * Tensor(variable)
        }
        let state = OptimizerState(
            optimizer, for: variables, accumulation: record.accumulation, averaging: record.averaging)
        let averages = variables.compactMap { state.averages?.averages[$0] }
        let updates = try optimizer.updates(
            for: variables, gradients: gradients, state: state, clipping: record.clipping,
            excludeFromWeightDecay: record.undecayed)
        return try await Compute.run {
            let step = try backend.compile(outputs: [], updates: updates, mode: .training)
            return try records.gradients.enumerated().map { index, parts in
                var inputs = ["learning_rate": TensorValue(Float(optimizer.learningRate))]
                for (v, part) in records.tensors(parts).enumerated() { inputs["g\(v)"] = part }
                _ = try step.run(inputs, step: UInt64(index))
                return try (variables + averages).map { try $0.value() }
            }
        }
    }

    @Test(arguments: [ReferenceBackend(), OneDNNBackend()] as [any Backend])
    func agreesWithKeras(_ backend: any Backend) async throws {
        let records = try golden("optimizers", as: Records.self)
        #expect(Set(records.optimizers.map(\.optimizer)).count == Self.defaults.count)
        for record in records.optimizers {
            let found = try await steps(record, records, on: backend)
            let averages = record.averages.isEmpty ? record.after.map { _ in [] } : record.averages
            #expect(record.averages.isEmpty == (record.averaging == nil))
            for (step, expected) in zip(records.steps, zip(record.after, averages).map { $0 + $1 }) {
                #expect(found[step - 1].count == expected.count)
                for (v, expected) in expected.enumerated() {
                    let found = found[step - 1][v].doubles
                    let start = records.start[v % records.start.count]
                    let largest = expected.map(abs).max() ?? 0
                    let moved = zip(expected, start).map { abs($0 - $1) }.max() ?? 0
                    let worst = zip(found, expected).map { abs($0 - $1) }.max { !($0 >= $1) } ?? 0
                    // How far variables moved says more than their values, but each step rounds these, twice with
                    // weight decay.
                    let rounding = 2 * Double(step) * Double(Float.ulpOfOne) / 2 * largest
                    #expect(
                        worst <= 1e-5 * moved + rounding,
                        "\(record.optimizer) \(record.arguments), variable \(v) after step \(step)")
                }
            }
        }
    }
}
