import Testing

@testable import FoveaTraining

struct ProgressTests {
    private let values: [(name: String, value: Double)] = [("accuracy", 0.89124), ("loss", 0.30214)]

    @Test func aLinePerEpoch() {
        let printed = Printed()
        var progress = ProgressPrinter(.lines, printed.output(), epochs: 10, steps: 469)
        progress.beginEpoch(3, at: 100)
        #expect(!progress.wantsDraw(at: 101))
        progress.endEpoch(
            values: values + [("val_loss", 0.00025), ("zero", 0)], examples: 60_000, trainingSeconds: 2.3,
            at: 102.4)
        progress.abandon()
        #expect(
            printed.text == """
                Epoch 3/10
                469/469 - 2s - 5ms/step - accuracy: 0.8912 - loss: 0.3021 - val_loss: 2.5000e-04 - zero: 0.0000

                """)
    }

    @Test func barFallsBackToLinesWithoutTerminal() {
        let printed = Printed()
        var progress = ProgressPrinter(.auto, printed.output(isTerminal: false), epochs: 1, steps: 2)
        progress.beginEpoch(1, at: 0)
        #expect(!progress.wantsDraw(at: 5))
        progress.endEpoch(values: values, examples: 2, trainingSeconds: 5, at: 5)
        #expect(printed.text == "Epoch 1/1\n2/2 - 5s - 2s/step - accuracy: 0.8912 - loss: 0.3021\n")
    }

    @Test func silence() {
        let printed = Printed()
        var progress = ProgressPrinter(.silent, printed.output(isTerminal: true), epochs: 1, steps: 2)
        progress.beginEpoch(1, at: 0)
        #expect(!progress.wantsDraw(at: 5))
        progress.endEpoch(values: values, examples: 2, trainingSeconds: 5, at: 5)
        progress.abandon()
        #expect(printed.all.isEmpty)
    }

    @Test func theBarIsDrawnOverAndNotTooOften() {
        let printed = Printed()
        var progress = ProgressPrinter(.bar, printed.output(isTerminal: true), epochs: 2, steps: 40)
        progress.beginEpoch(1, at: 0)
        var drawn = 0
        for step in 1...40 {
            let time = Double(step) * 0.025
            if progress.wantsDraw(at: time) {
                progress.draw(step: step, examples: step * 10, values: values, at: time)
                drawn += 1
            }
        }
        #expect((8...11).contains(drawn))
        #expect(
            printed.all[1]
                == "\r 1/40 ──────────────────── 1s left - 400 images/s - accuracy: 0.8912 - loss: 0.3021\u{1B}[K"
        )
        progress.endEpoch(values: values, examples: 400, trainingSeconds: 1, at: 3)
        #expect(
            printed.all.last
                == "\r40/40 ━━━━━━━━━━━━━━━━━━━━ 3s - 25ms/step - 400 images/s - accuracy: 0.8912"
                + " - loss: 0.3021\u{1B}[K\n")
        progress.abandon()
        #expect(printed.all.count == drawn + 2)
    }

    @Test func anUnfinishedBarIsLeftOnItsOwnLine() {
        let printed = Printed()
        var progress = ProgressPrinter(.bar, printed.output(isTerminal: true), epochs: 1, steps: 4000)
        progress.beginEpoch(1, at: 0)
        progress.draw(step: 1, examples: 1, values: [], at: 2)
        #expect(printed.text.contains("1/4000 ──────────────────── 2:13:18 left - 0 images/s"))
        progress.abandon()
        #expect(printed.text.hasSuffix("\n"))
    }

    @Test(arguments: [1, 5, 30, 40, 60, 80])
    func drawnLinesFitTheTerminal(columns: Int) {
        let printed = Printed()
        var progress = ProgressPrinter(
            .bar, printed.output(isTerminal: true, columns: columns), epochs: 1, steps: 400)
        progress.beginEpoch(1, at: 0)
        progress.draw(step: 37, examples: 3700, values: values, at: 1)
        let line = printed.all[1].replacing("\r", with: "").replacing("\u{1B}[K", with: "")
        #expect(line.count < columns)
    }

    @Test func colorOnlyWhereWanted() {
        for usesColor in [false, true] {
            let printed = Printed()
            let output = printed.output(isTerminal: true, usesColor: usesColor)
            var progress = ProgressPrinter(.bar, output, epochs: 1, steps: 1)
            progress.beginEpoch(1, at: 0)
            progress.draw(step: 1, examples: 1, values: values, at: 1)
            #expect(printed.text.contains("\u{1B}[32m") == usesColor)
        }
    }

    @Test func timePerStepHasAFittingUnit() {
        for (seconds, text) in [(2.0, " - 2s/step"), (0.0123, " - 12ms/step"), (4e-5, " - 40us/step")] {
            let printed = Printed()
            var progress = ProgressPrinter(.lines, printed.output(), epochs: 1, steps: 1)
            progress.beginEpoch(1, at: 0)
            progress.endEpoch(values: [], examples: 1, trainingSeconds: seconds, at: seconds)
            #expect(printed.text.contains(text))
        }
    }
}
