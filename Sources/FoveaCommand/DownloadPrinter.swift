import Foundation
import Fovea
import Synchronization

/// Shows a download on standard error: one line drawn over on a terminal, a line per file elsewhere.
final class DownloadPrinter: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex<(file: String, percent: Int)>(("", -1))

    func show(_ progress: DownloadProgress) {
        let percent = progress.totalBytes.map { $0 == 0 ? 100 : progress.receivedBytes * 100 / $0 } ?? 0
        let isNew = state.withLock { state in
            defer { state = (progress.file, percent) }
            return state.file != progress.file || (isTerminal && state.percent != percent)
        }
        guard isNew else { return }
        let mebibytes = Double(progress.receivedBytes) / 1_048_576
        let text = "downloading \(progress.file): \(percent) %, \(String(format: "%.1f", mebibytes)) MiB"
        StandardStreams.writeError(isTerminal ? "\r\u{1B}[K\(text)" : "downloading \(progress.file)\n")
    }

    func finish() {
        if isTerminal, state.withLock({ !$0.file.isEmpty }) { StandardStreams.writeError("\n") }
    }
}
