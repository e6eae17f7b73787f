import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import Testing

@testable import FoveaTraining

struct TrainingMemoryTests {
    /// Training on batches of 48 sizes leaves hardly more memory in use than on those of the largest, and what it takes for
    /// a while, such as the values to go back to, is given back. In a process of its own, which uses memory for nothing else.
    @Test func manySizesLeaveHardlyMoreMemoryThanTheLargest() async throws {
        await #expect(processExitsWith: .success) {
            func residentMebibytes() throws -> Int {
                let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
                return try #require(Int(line.split(separator: " ")[1])) / 1024
            }
            let model = try Sequential(input: [28, 28, 1]) {
                Conv2D(filters: 16, kernelSize: 5, padding: .same, activation: .relu)
                MaxPooling2D()
                Conv2D(filters: 64, kernelSize: 5, padding: .same, activation: .relu)
                MaxPooling2D()
                Flatten()
                Dense(units: 1024, activation: .relu)
                Dense(units: 10)
            }
            let trainer = try model.compile(
                optimizer: .adam(), loss: .sparseCategoricalCrossentropy(fromLogits: true))
            func train(_ size: Int) async throws {
                let examples = try Examples(
                    inputs: TensorValue(repeating: 0.5, shape: [size, 28, 28, 1]),
                    targets: TensorValue((0..<size).map { Int32($0 % 10) }))
                try await trainer.fit(examples, batchSize: size, verbosity: .silent)
            }
            try await train(48)
            let largest = try residentMebibytes()
            for size in 1...47 { try await train(size) }
            let all = try residentMebibytes()
            // Parameters and what Adam remembers of them are 38 MiB: as many again would be seen.
            #expect(all <= largest + 32, "\(largest) MiB, then \(all) MiB")
            #expect(Double(all) <= 1.3 * Double(largest), "\(largest) MiB, then \(all) MiB")
        }
    }
}
