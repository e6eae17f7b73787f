import FoveaTraining

extension RunReport.Section {
    /// Of more classes there is no matrix, in which nothing could be read.
    private static let matrixLimit = 40
    /// How many classes have a row.
    private static let rowLimit = 50

    /// How well classes were told apart: the confusion matrix, precision, recall and F1 score of each class, and which are taken for
    /// each other most often. Of many classes those with the smallest F1 scores.
    public static func classes(of report: ClassificationReport) -> RunReport.Section {
        let confusion = report.confusion
        var contents: [RunReport.Content] = []
        let unanswered = report.unansweredCount
        if unanswered > 0 {
            contents.append(
                .note("Not counted are \(unanswered) examples for which the model's outputs are NaN."))
        }
        guard !report.answers.isEmpty else {
            return RunReport.Section(
                "Classes",
                contents + [.note("No example was answered, so nothing can be said of the classes.")])
        }
        let present = confusion.support.count { $0 > 0 }
        if present == 1 {
            contents.append(
                .note("All examples are of one class, so it is not seen how well it is told from others."))
        }
        if confusion.counts.count <= matrixLimit {
            contents.append(
                .figure(description: "How often each class was taken for each class") {
                    confusion.plot(title: "", theme: $0)
                })
        }
        contents += table(confusion) + confusions(confusion)
        return RunReport.Section("Classes", contents)
    }

    private static func table(_ confusion: ConfusionMatrix) -> [RunReport.Content] {
        let (precision, recall, f1Score) = (confusion.precision, confusion.recall, confusion.f1Score)
        let support = confusion.support
        var order = Array(support.indices)
        var contents: [RunReport.Content] = []
        if order.count > rowLimit {
            // Nothing is known of classes without examples.
            order = Array(
                order.filter { support[$0] > 0 }.sorted { (f1Score[$0], $0) < (f1Score[$1], $1) }
                    .prefix(rowLimit))
            contents.append(
                .text("Of \(support.count) classes the \(order.count) with the smallest F1 scores:"))
        }
        let rows = order.map { place in
            [confusion.classNames[place]]
                + [precision[place], recall[place], f1Score[place]].map { fixedPoint($0, decimals: 3) }
                + ["\(support[place])"]
        }
        return contents + [
            .table(headings: ["Class", "Precision", "Recall", "F1 score", "Examples"], rows: rows)
        ]
    }

    /// Which classes were taken for which most often.
    private static func confusions(_ confusion: ConfusionMatrix) -> [RunReport.Content] {
        let limit = confusion.counts.count > matrixLimit ? 20 : 5
        var pairs: [(count: Int, row: Int, column: Int)] = []
        for (row, counts) in confusion.counts.enumerated() {
            for (column, count) in counts.enumerated() where row != column && count > 0 {
                pairs.append((count, row, column))
            }
        }
        guard !pairs.isEmpty else { return [.text("No class was taken for another.")] }
        let most = pairs.sorted { ($1.count, $0.row, $0.column) < ($0.count, $1.row, $1.column) }.prefix(
            limit)
        let (names, support) = (confusion.classNames, confusion.support)
        return [
            .text("Taken for another class most often:"),
            .table(
                headings: ["Class", "Taken for", "Times", "Of"],
                rows: most.map { [names[$0.row], names[$0.column], "\($0.count)", "\(support[$0.row])"] }),
        ]
    }
}
