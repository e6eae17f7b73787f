import Foundation
import FoveaTraining
import Testing

@testable import FoveaVisualization

@Suite struct HistoryPlotTests {
    private func history(
        _ losses: [Double], validation: [Double?]? = nil, from first: Int = 1, accuracy: Bool = true
    ) -> History {
        History(
            epochs: losses.enumerated().map { index, loss in
                let validationLoss = validation.flatMap { $0[index] }
                return History.Epoch(
                    number: first + index, loss: loss,
                    metrics: accuracy ? ["accuracy": 1 - loss / 3] : [:], validationLoss: validationLoss,
                    validationMetrics: validationLoss.map { ["accuracy": 1 - $0 / 3] } ?? [:], seconds: 1)
            })
    }

    /// The recurrence of the lesson's function, written out.
    @Test func smoothingIsAnExponentialAverage() throws {
        let values = [1.0, 0.5, 2, .nan, 0.25]
        let smoothed = try history(values, validation: [3, nil, 1, nil, 2]).smoothed(by: 0.8)
        let losses = smoothed.epochs.map(\.loss)
        let second = 0.8 * 1 + 0.2 * 0.5
        let third = 0.8 * second + 0.2 * 2
        #expect(losses[0] == 1 && losses[1] == second && losses[2] == third && losses[3].isNaN)
        #expect(losses[4] == 0.8 * third + 0.2 * 0.25)
        #expect(smoothed["val_loss"] == [3, 0.8 * 3 + 0.2 * 1, 0.8 * (0.8 * 3 + 0.2 * 1) + 0.2 * 2])
        #expect(try history([1, 2]).smoothed(by: 0) == history([1, 2]))
        #expect(throws: VisualizationError.self) { try history([1]).smoothed(by: 1) }
        #expect(throws: VisualizationError.self) { try history([1]).smoothed(by: -0.1) }
    }

    @Test func eachMetricHasAPanelWithItsBestEpoch() throws {
        let figure = try history([0.9, 0.5, 0.3, 0.2], validation: [0.8, 0.4, 0.6, 0.7]).plot()
        #expect(figure.panels.map(\.title) == ["loss", "accuracy"])
        for panel in figure.panels {
            let labels = panel.marks.map(\.content.label)
            #expect(labels.contains("training") && labels.contains("validation"))
            #expect(labels.contains { $0.hasSuffix("in epoch 2") }, "\(labels)")
        }
        #expect(try !figure.encoded(as: .png).isEmpty)
    }

    @Test func historiesOfAllKindsAreDrawn() throws {
        let kinds: [(String, History)] = [
            ("without validation", history([3, 2, 1])), ("of one epoch", history([0.4], validation: [0.5])),
            ("resumed", history([0.4, 0.3], from: 31)),
            ("validated at times", history([3, 2, 1], validation: [nil, 2, nil])),
            ("with gaps", history([3, .nan, 1])), ("that went wrong", history([3, .infinity, 2])),
            ("of zeros", history([0, 0])), ("very long", history((0..<3_000).map { 1 / Double($0 + 1) })),
        ]
        for (kind, history) in kinds {
            for theme in Figure.Theme.allCases {
                for smoothing in [0, 0.8] {
                    let figure = try history.plot(smoothing: smoothing, theme: theme)
                    #expect(try !figure.encoded(as: .png).isEmpty, "\(kind)")
                }
            }
        }
        #expect(try history([1, 0, 2]).plot(["loss"], scale: .log).encoded(as: .pdf).count > 100)
    }

    /// Runs that came to the same numbers are all seen.
    @Test func curvesOnTopOfEachOtherHaveDifferentWidths() throws {
        let equal = try Figure.curves([
            TrainingCurve("a", history([3, 2, 1], accuracy: false)),
            TrainingCurve("b", history([3, 2, 1], accuracy: false)),
            TrainingCurve("c", history([3, 2.9, 2.8], accuracy: false)),
        ])
        let widths = equal.panels[0].marks.compactMap { mark -> Double? in
            if case .line(let width, _, _) = mark.content.swatch { width } else { nil }
        }
        #expect(widths.count == 3 && widths[0] > widths[1] + 1 && widths[1] == widths[2])
    }

    @Test func nothingToDrawIsAnError() throws {
        func message(_ body: () throws -> Figure) -> String {
            do {
                _ = try body()
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(message { try History().plot() }.contains("no epochs"))
        #expect(message { try history([1]).plot(["acuracy"]) }.contains("did you mean 'accuracy'"))
        #expect(
            message { try history([.nan, .nan], accuracy: false).plot() }.contains("NaN or infinite in every")
        )
        // A metric that nobody asked for is left out.
        let figure = try Figure.curves([
            TrainingCurve(
                "a",
                History(epochs: [History.Epoch(number: 1, loss: 1, metrics: ["auc": .nan], seconds: 0)]))
        ])
        #expect(figure.panels.count == 1)
    }

    @Test func severalRunsHaveAColorEach() throws {
        let runs = (0..<3).map {
            TrainingCurve("run \($0)", history([1, 0.5, 0.4 - 0.1 * Double($0)], validation: [1, 0.8, 0.7]))
        }
        let figure = try Figure.curves(runs)
        let marks = figure.panels[0].marks
        #expect(marks.map(\.content.label) == ["", "run 0", "", "run 1", "", "run 2"])
        #expect(Set(marks.compactMap(\.content.color)).count == 3)
        let many = try Figure.curves(
            (0..<80).map { TrainingCurve("a run with a very long name \($0)", history([1, 0.5, 0.4])) })
        #expect(try !many.encoded(as: .png).isEmpty)
    }

    @Test func losingMetricsAreKnown() {
        for name in [
            "loss", "mean_squared_error", "root_mean_squared_error", "classes_loss", "false_positives",
        ] {
            #expect(isSmallerBetter(name), "\(name)")
        }
        for name in ["accuracy", "auc", "precision_threshold_0.7", "f1_score", "cosine_similarity", "my_own"]
        {
            #expect(!isSmallerBetter(name), "\(name)")
        }
    }
}
