import FoveaFiles

extension History {
    /// A history from a table: a line of names, `epoch` among them, and a line per epoch, as `csv` and `CSVLogger` write it and
    /// Keras's `CSVLogger` does. Fields are separated by commas, semicolons or tabs, whichever the first line has; an empty field
    /// is a number that the epoch lacks.
    ///
    /// - Parameter csv: the text of the table. Columns under names other than `loss`, `seconds` and `val_…` are metrics.
    /// - Throws: `TrainingError` for a text that is no such table, with the line.
    public init(csv: String) throws(TrainingError) {
        func wrong(_ line: Int, _ value: String, _ expected: String) -> TrainingError {
            .invalidArgument(
                "line \(line) of a history's table", "'\(visible(value, limit: VisibleText.nameLimit))'",
                expected: expected)
        }
        let lines = csv.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let header = lines.first.map(String.init) ?? ""
        let separator: Character = [",", ";", "\t"].first { header.contains($0) } ?? ","
        func fields(_ line: some StringProtocol) -> [String] {
            line.split(separator: separator, omittingEmptySubsequences: false).map {
                String($0).trimmingSpaces
            }
        }
        let names = fields(header)
        guard let epochColumn = names.firstIndex(of: "epoch"), names.count > 1,
            Set(names).count == names.count
        else {
            throw wrong(
                1, header, "different names of columns with 'epoch' among them, such as epoch,loss,val_loss")
        }
        var epochs: [Epoch] = []
        for (index, line) in lines.enumerated().dropFirst() where !line.allSatisfy(\.isWhitespace) {
            let texts = fields(line)
            guard texts.count == names.count else {
                throw wrong(
                    index + 1, String(line), "\(names.count) fields, as many as there are names in line 1")
            }
            var values: [String: Double] = [:]
            for (name, text) in zip(names, texts) where !text.isEmpty {
                guard let value = Double(text) else { throw wrong(index + 1, text, "a number") }
                values[name] = value
            }
            guard let number = values[names[epochColumn]].flatMap({ Int(exactly: $0) }) else {
                throw wrong(index + 1, texts[epochColumn], "a whole number under 'epoch'")
            }
            epochs.append(Epoch(number: number, values: values))
        }
        self.init(epochs: epochs)
    }
}

extension History.Epoch {
    /// - Parameter values: by Keras's names; those of time and number count no more.
    fileprivate init(number: Int, values: [String: Double]) {
        var (metrics, validation) = ([String: Double](), [String: Double]())
        for (name, value) in values where !["epoch", "loss", "val_loss", "seconds"].contains(name) {
            if name.hasPrefix("val_") {
                validation[String(name.dropFirst(4))] = value
            } else {
                metrics[name] = value
            }
        }
        self.init(
            number: number, loss: values["loss"] ?? .nan, metrics: metrics,
            validationLoss: values["val_loss"], validationMetrics: validation,
            seconds: values["seconds"] ?? 0)
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
