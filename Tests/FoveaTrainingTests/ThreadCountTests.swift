import CKernels
import FoveaGraph
import FoveaModels
import FoveaOneDNN
import FoveaRuntime
import FoveaTraining
import Testing

/// What is computed does not depend on how many threads compute it.
@Suite(.serialized) struct ThreadCountTests {
    /// The bits of the loss, the outputs and all gradients of a training step.
    private func bits(
        of network: NamedNetwork, precision: Precision, batch: Int, threads: [Int32]
    ) async throws -> [[[UInt32]]] {
        let model = try network.model()
        let variables = model.trainableParameters.compactMap(\.parameter.variable)
        let images = Tensor.input("images", try model.inputShape)
        let predictions = try model(images)
        let loss = try (predictions * predictions).mean()
        let gradients = try gradient(of: loss, withRespectTo: variables.map { Tensor($0) })
        let shape = Shape([batch] + (try model.inputShape.dimensions))
        let pixels = try TensorValue(
            shape: shape, (0..<shape.elementCount).map { HashedValues.unit(stream: 0, $0) })
        return try await Compute.run {
            let before = fovea_thread_count()
            defer { fovea_set_thread_count(before) }
            for (k, variable) in variables.enumerated() {
                try variable.assign(HashedValues.weight(k, shape: variable.shape))
            }
            return try threads.map { count in
                fovea_set_thread_count(count)
                let executable = try OneDNNBackend(precision: precision).compile(
                    outputs: [loss, predictions] + gradients, mode: .training, batch: batch)
                return try executable.run(["images": pixels]).map { $0.floats.map(\.bitPattern) }
            }
        }
    }

    /// Anyone may ask, also before anything was computed.
    @Test func numberIsKnownWithoutWaiting() throws {
        let backend = try Device.cpu.backend
        #expect(backend.threadCount == Int(fovea_thread_count()) && backend.threadCount >= 1)
        #expect((backend.threadShortage == nil) == (String(cString: fovea_thread_shortage()) == ""))
    }

    @Test(arguments: NamedNetwork.measured + [.resNet18, .cifarResNet20]) func gradientsHaveTheSameBits(
        of network: NamedNetwork
    ) async throws {
        let batch = network == .resNet18 ? 5 : 12
        let results = try await bits(of: network, precision: .float32, batch: batch, threads: [1, 2, 3])
        #expect(results[1] == results[0] && results[2] == results[0])
    }

    @Test(arguments: [NamedNetwork.fashionCNN, .mnistCNN, .cifarResNet20])
    func mixedPrecisionHasTheSameBits(of network: NamedNetwork) async throws {
        let results = try await bits(of: network, precision: .mixedBFloat16, batch: 12, threads: [1, 2, 3])
        #expect(results[1] == results[0] && results[2] == results[0])
    }

    /// One image is cut by filters.
    @Test(arguments: [NamedNetwork.resNet18, .catsDogsCNN, .fashionCNN])
    func oneImageHasTheSameBits(of network: NamedNetwork) async throws {
        let results = try await bits(of: network, precision: .float32, batch: 1, threads: [1, 2, 3])
        #expect(results[1] == results[0] && results[2] == results[0])
    }
}
