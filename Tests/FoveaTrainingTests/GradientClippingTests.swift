import Foundation
import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

struct GradientClippingTests {
    static let backends: [any Backend] = [ReferenceBackend(), OneDNNBackend()]

    private func clipped(_ clipping: GradientClipping, _ gradients: [[Float]], on backend: any Backend)
        async throws -> [[Float]]
    {
        let inputs = gradients.enumerated().map { Tensor.argument("g\($0.offset)", [$0.element.count]) }
        let values = gradients.enumerated().map { ("g\($0.offset)", TensorValue($0.element)) }
        return try await outputs(
            of: clipping.clipped(inputs), Dictionary(uniqueKeysWithValues: values), on: backend
        ).map(\.floats)
    }

    @Test(arguments: backends)
    func value(_ backend: any Backend) async throws {
        let result = try await clipped(
            .value(0.5), [[-3, -0.5, 0, 0.25, .infinity], [.nan, -.infinity, 0.75]], on: backend)
        #expect(result[0] == [-0.5, -0.5, 0, 0.25, 0.5])
        #expect(result[1][0].isNaN && result[1][1...] == [-0.5, 0.5])
    }

    @Test(arguments: backends)
    func norms(_ backend: any Backend) async throws {
        // Norms 5, 0.5, 0 and √170.
        let gradients: [[Float]] = [[3, 0, -4], [0.3, 0.4], [0, 0, 0], [-11, 7]]
        let each = try await clipped(.norm(2), gradients, on: backend)
        expectClose(each[0], [1.2, 0, -1.6], 1e-6)
        #expect(each[1] == gradients[1] && each[2] == gradients[2], "small gradients stay as they are")
        expectClose(each[3], [-11, 7].map { $0 * 2 / 170.0.squareRoot() }, 1e-6)

        let all = try await clipped(.globalNorm(2), gradients, on: backend)
        let scale = 2 / (25 + 0.25 + 170.0).squareRoot()
        for (found, gradient) in zip(all, gradients) {
            expectClose(found, gradient.map { Double($0) * scale }, 1e-6)
        }
        #expect(try await clipped(.globalNorm(14), gradients, on: backend) == gradients)
    }

    /// Never zeros, with which training would go on as if nothing had happened.
    @Test(arguments: backends, [Float.infinity, .nan, 1e30])
    func normsBeyondRangeGiveNaN(_ backend: any Backend, _ element: Float) async throws {
        let gradients: [[Float]] = [[1, element], [2]]
        let all = try await clipped(.globalNorm(1), gradients, on: backend)
        #expect(all.joined().allSatisfy { $0.isNaN })
        let each = try await clipped(.norm(1), gradients, on: backend)
        #expect(each[0].allSatisfy { $0.isNaN } && each[1] == [1])
    }

    @Test func noGradients() throws {
        for clipping in [GradientClipping.value(1), .norm(1), .globalNorm(1)] {
            #expect(try clipping.clipped([]).isEmpty)
        }
    }

    @Test(arguments: [0, -1, .nan, .infinity, 1e-60, 1e60] as [Double])
    func limitsOutOfRange(_ limit: Double) throws {
        for (clipping, name) in [
            (GradientClipping.value(limit), "value"), (.norm(limit), "norm"),
            (.globalNorm(limit), "globalNorm"),
        ] {
            let error = try #require(throws: TrainingError.self) { try clipping.clipped([]) }
            #expect(error.description.hasPrefix("\(name) of gradient clipping is \(limit), but must be "))
            #expect(throws: TrainingError.self) {
                try SGD().updates(for: [], gradients: [], clipping: clipping)
            }
        }
    }

    @Test func roundTrip() throws {
        for clipping in [GradientClipping.value(0.5), .norm(2), .globalNorm(1)] {
            let text = try JSONEncoder().encode(clipping)
            #expect(try JSONDecoder().decode(GradientClipping.self, from: text) == clipping)
        }
    }
}
