import FoveaFiles
import FoveaGraph

extension Plan: CustomStringConvertible {
    /// `table()`.
    public var description: String { table() }

    /// The plan for people: a line for each call with what it writes, the layouts of what it reads first and of what it
    /// writes, the bytes it touches, and the library's kernel or the fused work; then the memory and every layout change. Calls
    /// whose results last until a variable changes come first, are marked `once`, and do not count in the sum of times.
    ///
    /// - Parameter seconds: the time of each call, which adds columns for it, its share of the sum and the rate of
    ///   arithmetic.
    public func table(seconds: [Double]? = nil) -> String {
        let total = seconds?.dropFirst(lastingCallCount).reduce(0, +) ?? 0
        var rows: [[String]] = [["#"]]
        if seconds != nil { rows[0] += ["µs", "share", "GFLOP/s"] }
        rows[0] += ["KiB", "call", "writes", "layout in", "layout out", "kernel or fused work"]
        for (place, call) in calls.enumerated() {
            var row = ["\(place)"]
            if let seconds {
                let time = seconds[place]
                row.append(Self.fixed(time * 1e6))
                row.append(place < lastingCallCount ? "once" : Self.fixed(time / total * 100) + " %")
                row.append(call.request.operationCount.map { Self.fixed(Double($0) / time / 1e9) } ?? "")
            }
            row += [Self.fixed(Double(byteCount(of: call)) / 1024), call.request.name]
            row += columns(of: call) + [call.note + (place < lastingCallCount ? ", once" : "")]
            rows.append(row)
        }
        // Numbers to the right, texts to the left.
        var lines = Self.aligned(rows, numberColumns: seconds == nil ? 2 : 5)
        if seconds != nil { lines.append("sum \(Self.fixed(total * 1e6)) µs") }
        return (lines + memoryLines).joined(separator: "\n")
    }

    private func byteCount(of call: Call) -> Int {
        call.operands.reduce(0) { $0 + values[$1.value].byteCount }
    }

    /// What is written, and the layouts before and after.
    private func columns(of call: Call) -> [String] {
        let written = call.operands.filter {
            $0.isWritten && $0.role != .scratchpad && $0.role != .packedWeights
        }.map { values[$0.value] }
        let read = call.operands.first { !$0.isWritten }.map { values[$0.value] }
        return [
            written.map(\.type.description).joined(separator: ", "), read.map(layoutText) ?? "",
            written.first.map(layoutText) ?? "",
        ]
    }

    private func layoutText(_ value: Value) -> String { value.layout.description(value.type.shape) }

    private var memoryLines: [String] {
        let changes = calls.filter { ($0.request as? ReorderRequest)?.isPart == false }
        let (shared, unshared) = (
            Self.fixed(Double(arenaByteCount) / 1024), Self.fixed(Double(unsharedByteCount) / 1024)
        )
        return [
            "memory: \(shared) KiB shared (\(unshared) KiB without sharing)",
            "layout changes: \(changes.count)",
        ]
            + changes.map { change in
                "  \(visible(values[change.reads[0]].name)) \(values[change.reads[0]].type): \(visible(change.note))"
            }
    }

    /// A number with one decimal.
    private static func fixed(_ number: Double) -> String {
        guard number.isFinite, abs(number) < 1e15 else { return "–" }
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }

    private static func aligned(_ rows: [[String]], numberColumns: Int) -> [String] {
        // Names of inputs and layers may come from files.
        let rows = rows.map { $0.map { visible($0) } }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                if column == row.count - 1 { return text }
                return column < numberColumns ? space + text : text + space
            }.joined(separator: "  ")
        }
    }
}
