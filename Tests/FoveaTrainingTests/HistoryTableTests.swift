import FoveaTraining
import Testing

@Suite struct HistoryTableTests {
    @Test func tablesAreReadAsTheyWereWritten() throws {
        let history = History(epochs: [
            History.Epoch(number: 3, loss: 0.1, metrics: ["accuracy": 0.5], seconds: 1.25),
            History.Epoch(
                number: 4, loss: -1e-300, metrics: ["accuracy": 1, "top_5": .infinity], validationLoss: 0.25,
                validationMetrics: ["accuracy": 0.125], seconds: 2),
        ])
        #expect(try History(csv: history.csv) == history)
        #expect(try History(csv: "epoch,loss\n").epochs.isEmpty)
        let nan = try History(csv: "epoch;loss\n1;nan\n")
        #expect(nan.epochs[0].loss.isNaN)
    }

    /// Keras's epochs count from 0, and its lines may end as Windows's.
    @Test func tablesOfKerasAreRead() throws {
        let history = try History(
            csv: "epoch,accuracy,loss,val_loss\r\n0,0.5,1.5,1.25\r\n1,0.75,1,\r\n\r\n")
        #expect(history.epochs.map(\.number) == [0, 1])
        #expect(history["accuracy"] == [0.5, 0.75] && history["val_loss"] == [1.25])
    }

    @Test(arguments: [
        "", "\n", "loss\n1", "epoch\n1", "epoch,loss\n1", "epoch,loss\n1,2,3", "epoch,loss\n1,x",
        "epoch,loss\n1.5,2",
        "epoch,loss\n,2", "epoch,loss\n1e300,2", "epoch,loss,loss\n1,2,3", "\u{0}\u{1B}[2J",
        "epoch,loss\nnan,1",
    ]) func whatIsNoTableIsRefused(_ text: String) {
        let error = #expect(throws: TrainingError.self) { try History(csv: text) }
        #expect(error.map { !"\($0)".contains("\u{1B}") } == true)
    }
}
