import Fovea
import Synchronization

/// How far slow work is: a line on a terminal that is drawn over and taken away in the end; nothing elsewhere.
final class ProgressLine: Sendable {
    private let text: String
    private let output: ProgressOutput
    private let percent = Mutex(-1)

    init(_ text: String, _ output: ProgressOutput = .standard) {
        (self.text, self.output) = (text, output)
    }

    /// - Parameter part: from 0 to 1.
    func show(_ part: Double) {
        guard output.isTerminal, part.isFinite else { return }
        let new = Int(max(0, min(1, part)) * 100)
        let isNew = percent.withLock { percent in
            defer { percent = new }
            return percent != new
        }
        if isNew { output.write("\r\(text): \(new) %\u{1B}[K") }
    }

    func finish() {
        if percent.withLock({ $0 >= 0 }) { output.write("\r\u{1B}[K") }
    }
}

/// Shows how far work is while it goes on.
func withProgress<Result>(
    _ text: String, _ work: (@escaping @Sendable (Double) -> Void) async throws -> Result
) async throws -> Result {
    let line = ProgressLine(text)
    defer { line.finish() }
    return try await work { line.show($0) }
}
