import Foundation
import FoveaTraining
import Testing

struct HistoryTests {
    private let history = History(
        epochs: [
            .init(number: 1, loss: 1.5, metrics: ["accuracy": 1 / 3], seconds: 0.25),
            .init(
                number: 2, loss: 0.1, metrics: ["accuracy": 0.5], validationLoss: .nan,
                validationMetrics: ["accuracy": 1], seconds: 12),
        ], wasInterrupted: true)

    @Test func csvHasEveryNumber() {
        #expect(
            history.csv == """
                epoch,accuracy,loss,val_accuracy,val_loss,seconds
                1,0.3333333333333333,1.5,,,0.25
                2,0.5,0.1,1.0,nan,12.0

                """)
        #expect(History().csv == "epoch,seconds\n")
    }

    @Test func csvReadsBackToTheSameBits() throws {
        let lines = history.csv.split(separator: "\n").map { $0.components(separatedBy: ",") }
        let column = try #require(lines[0].firstIndex(of: "accuracy"))
        #expect(lines.dropFirst().map { Double($0[column]) } == [1 / 3, 0.5])
    }

    @Test func jsonRoundTrip() throws {
        let read = try History(json: history.json())
        #expect(read.csv == history.csv)
        #expect(read.wasInterrupted)
        #expect(read.epochs[0] == history.epochs[0])
        #expect(read.epochs[1].validationLoss?.isNaN == true)
        #expect(throws: DecodingError.self) { try History(json: Data("{}".utf8)) }
    }
}
