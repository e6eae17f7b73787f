import Dispatch
import FoveaDatasets
import Testing

@testable import FoveaTraining

/// A request to stop is heard while training waits for data that does not come.
@Suite struct StopTests {
    @Test(arguments: [false, true]) func whileWaitingForData(isValidation: Bool) async throws {
        let gate = DispatchSemaphore(value: 0)
        // Lets the threads that compute the data end.
        defer { for _ in 0..<100 { gate.signal() } }
        let stop = StopSignal()
        let examples = try bars(12)
        let ready: Dataset<Examples> = try Dataset(examples).batched(4)
        let late: Dataset<Examples> = try Dataset(examples).map { (example: Example) -> Example in
            stop.request()
            gate.wait()
            return example
        }.batched(4)

        let trainer = try smallTrainer(dropout: 0.5)
        let history = try await trainer.fit(
            isValidation ? ready : late, epochs: 3, validation: isValidation ? late : nil, loaderThreads: 1,
            verbosity: .silent, stop: stop)
        #expect(history.wasInterrupted)
        #expect(history.epochs.isEmpty)
    }
}
