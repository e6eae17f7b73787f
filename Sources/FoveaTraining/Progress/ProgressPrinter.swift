import Foundation
import FoveaFiles
import FoveaGraph

/// Prints how training goes on. Times are seconds on any clock that does not go back.
struct ProgressPrinter {
    private let output: ProgressOutput
    private let verbosity: Verbosity
    private let epochs: Int
    private let steps: Int

    private var epochStart = 0.0
    private var lastDraw: Double?

    /// - Parameters:
    ///   - epochs: the number of the last epoch.
    ///   - steps: training steps in each.
    init(_ verbosity: Verbosity, _ output: ProgressOutput, epochs: Int, steps: Int) {
        self.output = output
        self.verbosity = verbosity == .bar && !output.isTerminal ? .lines : verbosity
        self.epochs = epochs
        self.steps = steps
    }

    private static let timeBetweenDraws = 0.1

    mutating func beginEpoch(_ number: Int, at time: Double) {
        epochStart = time
        lastDraw = nil
        if verbosity != .silent { output.write("Epoch \(number)/\(epochs)\n") }
    }

    /// Whether a call of `draw` at this time would show anything: it is made after every step.
    func wantsDraw(at time: Double) -> Bool {
        verbosity == .bar && time - (lastDraw ?? -.infinity) >= Self.timeBetweenDraws
    }

    /// Draws the bar anew after `step` steps with `examples` examples, which had these mean values.
    mutating func draw(step: Int, examples: Int, values: [(name: String, value: Double)], at time: Double) {
        lastDraw = time
        let elapsed = time - epochStart
        let remaining = elapsed / Double(step) * Double(steps - step)
        let text = "\(duration(remaining)) left - \(speed(examples, elapsed))\(listed(values))"
        output.write("\r" + barLine(step: step, text) + "\u{1B}[K")
    }

    /// The line that stays: total time, time per training step, and the epoch's values.
    mutating func endEpoch(
        values: [(name: String, value: Double)], examples: Int, trainingSeconds: Double, at time: Double
    ) {
        let total = rounded(time - epochStart) + "s"
        let perStep = timePerStep(trainingSeconds / Double(steps))
        switch verbosity {
        case .silent: break
        case .lines: output.write("\(steps)/\(steps) - \(total) - \(perStep)\(listed(values))\n")
        case .bar:
            let text = "\(total) - \(perStep) - \(speed(examples, trainingSeconds))\(listed(values))"
            output.write("\r" + barLine(step: steps, text, isFinal: true) + "\u{1B}[K\n")
        }
        lastDraw = nil
    }

    /// Leaves a bar that will not be completed, so that what follows starts on a line of its own.
    mutating func abandon() {
        if lastDraw != nil { output.write("\n") }
        lastDraw = nil
    }

    // MARK: Parts

    private static let barWidth = 20

    /// Counter, bar and text, cut to the terminal's width unless the line stays.
    private func barLine(step: Int, _ text: String, isFinal: Bool = false) -> String {
        let counter = String(repeating: " ", count: "\(steps)".count - "\(step)".count) + "\(step)/\(steps) "
        let done = Self.barWidth * step / steps
        let full = String(repeating: "━", count: done)
        let rest = String(repeating: "─", count: Self.barWidth - done)
        let bar = output.usesColor ? "\u{1B}[32m\(full)\u{1B}[0m\(rest)" : full + rest
        // A line that reached the last column would scroll, and could not be drawn over.
        let room = output.columns() - 1 - counter.count - Self.barWidth - 1
        if isFinal || room >= text.count { return "\(counter)\(bar) \(text)" }
        return room > 0
            ? "\(counter)\(bar) \(text.prefix(room))" : String(counter.prefix(max(0, output.columns() - 1)))
    }

    private func listed(_ values: [(name: String, value: Double)]) -> String {
        values.map { " - \(namedNumber($0.name, $0.value))" }.joined()
    }

    private func timePerStep(_ seconds: Double) -> String {
        if seconds >= 1 { return rounded(seconds) + "s/step" }
        return seconds >= 1e-3 ? rounded(seconds * 1e3) + "ms/step" : rounded(seconds * 1e6) + "us/step"
    }

    private func speed(_ examples: Int, _ seconds: Double) -> String {
        seconds > 0 ? rounded(Double(examples) / seconds) + " images/s" : "- images/s"
    }

    private func duration(_ seconds: Double) -> String {
        let seconds = Int(min(max(0, seconds), 1e9).rounded(.up))
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return String(format: "%ld:%02ld", seconds / 60, seconds % 60) }
        return String(format: "%ld:%02ld:%02ld", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    private func rounded(_ value: Double) -> String { String(format: "%.0f", value) }
}

/// A number that was reported, with four digits after the point; with an exponent what would be mostly zeros.
func namedNumber(_ name: String, _ value: Double) -> String {
    let number = String(format: abs(value) > 1e-3 || value == 0 ? "%.4f" : "%.4e", value)
    return "\(visible(name, limit: VisibleText.nameLimit)): \(number)"
}
