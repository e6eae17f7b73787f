import FoveaFiles
import FoveaGraph

extension ConfusionMatrix: CustomStringConvertible {
    /// The most classes and columns of text of a table that has a column for each class.
    private static let (mostClasses, mostWidth) = (20, 120)

    /// A table with a line for each true class: its counts, precision, recall, F1 score and how many examples it has; the means of
    /// the classes that have any, and the accuracy below. Of many classes only the 20 with the lowest F1 score, and the 20 pairs
    /// that were confused the most often.
    public var description: String {
        let accuracyLine = "accuracy \(accuracy.threeDecimals) of \(support.reduce(0, +))"
        if counts.count <= Self.mostClasses {
            let all = Array(counts.indices)
            let table = table(of: all, hasCounts: true)
            if table.allSatisfy({ $0.count <= Self.mostWidth }) {
                return (table + [accuracyLine]).joined(separator: "\n")
            }
        }
        let f1Score = f1Score
        let present = counts.indices.filter { support[$0] > 0 }
        let lowest = present.sorted { (f1Score[$0], $0) < (f1Score[$1], $1) }.prefix(Self.mostClasses)
        var lines: [String] = []
        if lowest.count < counts.count {
            lines.append("\(counts.count) classes; those with the lowest F1 score are")
        }
        lines += table(of: Array(lowest), hasCounts: false)
        let confusions = confusions(Self.mostClasses)
        if !confusions.isEmpty {
            lines.append("the most often confused are")
            let width = confusions.map { "\($0.count)".count }.max() ?? 0
            lines += confusions.map {
                "  \("\($0.count)".padded(to: width)) × \(shown($0.label)) taken for \(shown($0.predicted))"
            }
        }
        return (lines + [accuracyLine]).joined(separator: "\n")
    }

    /// How often examples of one class were taken for another one, the most frequent first.
    ///
    /// - Parameter count: how many pairs of classes; fewer when there are fewer that were confused.
    public func confusions(_ count: Int) -> [(label: Int, predicted: Int, count: Int)] {
        var pairs: [(label: Int, predicted: Int, count: Int)] = []
        for (label, row) in counts.enumerated() {
            for (predicted, count) in row.enumerated() where predicted != label && count > 0 {
                pairs.append((label, predicted, count))
            }
        }
        return Array(
            pairs.sorted { ($1.count, $0.label, $0.predicted) < ($0.count, $1.label, $1.predicted) }
                .prefix(max(0, count)))
    }

    private func table(of classes: [Int], hasCounts: Bool) -> [String] {
        let (precision, recall, f1Score, support) = (precision, recall, f1Score, support)
        let header =
            [hasCounts ? "true \\ predicted" : "class"] + (hasCounts ? classes.map(shown) : [])
            + ["precision", "recall", "F1", "examples"]
        var lines = classes.map { index in
            [shown(index)] + (hasCounts ? counts[index].map(String.init) : [])
                + [precision, recall, f1Score].map { $0[index].threeDecimals } + ["\(support[index])"]
        }
        let present = counts.indices.filter { support[$0] > 0 }
        let means = [precision, recall, f1Score].map { rates in
            present.isEmpty ? 0 : present.reduce(0) { $0 + rates[$1] } / Double(present.count)
        }
        lines.append(
            ["mean of classes"] + (hasCounts ? classes.map { _ in "" } : []) + means.map(\.threeDecimals)
                + ["\(support.reduce(0, +))"])
        let widths = header.indices.map { column in
            ([header] + lines).map { $0[column].count }.max() ?? 0
        }
        return ([header] + lines).map { line in
            zip(line, widths).enumerated().map { column, cell in
                column == 0
                    ? cell.0 + String(repeating: " ", count: cell.1 - cell.0.count)
                    : cell.0.padded(to: cell.1)
            }.joined(separator: "  ")
        }
    }

    private func shown(_ index: Int) -> String { visible(classNames[index], limit: VisibleText.nameLimit) }
}

extension String {
    /// With spaces before it.
    fileprivate func padded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}

extension Double {
    /// For numbers in `0...1`.
    fileprivate var threeDecimals: String {
        let thousandths = Int((self * 1000).rounded())
        let digits = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
    }
}
