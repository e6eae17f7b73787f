import Foundation
import FoveaFiles
import FoveaGraph

extension ModelProtocol {
    /// A table of the layers with their output shapes and parameter counts, and the totals, as Keras prints
    /// it. Graphs also list their inputs, and in a fourth column what each layer reads.
    ///
    /// - Parameter expandNested: whether the layers of models inside are listed too, indented under theirs.
    public func summary(expandNested: Bool = false) -> String {
        let isGraph = !(self is Sequential)
        var rows = [["Layer (type)", "Output Shape", "Param #"] + (isGraph ? ["Connected to"] : [])]
        rows += summaryRows(isGraph: isGraph, expandNested: expandNested, indent: "")
        let (total, trainable) = (parameterCount, trainableParameterCount)
        return
            ([#"Model: "\#(shown(displayName))""#] + table(rows) + [
                " Total params: \(amount(total))",
                " Trainable params: \(amount(trainable))",
                " Non-trainable params: \(amount(total - trainable))",
            ]).joined(separator: "\n") + "\n"
    }

    /// A row for each input and each layer; of a layer called several times, its first output and all that it reads.
    fileprivate func summaryRows(isGraph: Bool, expandNested: Bool, indent: String) -> [[String]] {
        var rows: [[String]] = []
        if !(self is Sequential) {
            rows = modelInputs.map { input in
                let shape = Shape([Shape.batch] + input.shape.dimensions)
                return ["\(indent)\(shown(input.name)) (Input)", text(of: shape), "0"]
                    + (isGraph ? ["-"] : [])
            }
        }
        let calls = Dictionary(grouping: calls, by: \.layerName)
        for (name, layer) in namedLayers {
            let own = calls[name, default: []]
            let count = layer.parameterCount
            let shapes = own.first?.outputShapes.map { text(of: $0) } ?? ["?"]
            rows.append(
                [
                    "\(indent)\(shown(name)) (\(type(of: layer).typeName))", shapes.joined(separator: ", "),
                    own.isEmpty ? "0 (unbuilt)" : count.withThousandsSeparators,
                ] + (isGraph ? [own.flatMap(\.inputNames).map(shown).joined(separator: ", ")] : []))
            if expandNested, let model = layer as? any ModelProtocol {
                rows += model.summaryRows(isGraph: isGraph, expandNested: true, indent: indent + "  ")
            }
        }
        return rows
    }
}

/// The lines of a table whose first row is its header. Columns are as wide as Keras's, or wider where the
/// text is; numbers are aligned to the right.
private func table(_ rows: [[String]]) -> [String] {
    let widths = zip([33, 24, 13, 24], 0...).prefix(rows[0].count).map { least, column in
        rows.map(\.[column].count).max().map { max(least, $0) } ?? least
    }
    func rule(_ left: String, _ line: String, _ middle: String, _ right: String) -> String {
        left + widths.map { String(repeating: line, count: $0 + 2) }.joined(separator: middle) + right
    }
    func line(_ cells: [String], _ border: String) -> String {
        let padded = cells.indices.map { column -> String in
            let space = String(repeating: " ", count: widths[column] - cells[column].count)
            return column == 2 ? space + cells[column] : cells[column] + space
        }
        return "\(border) " + padded.joined(separator: " \(border) ") + " \(border)"
    }
    var lines = [rule("┏", "━", "┳", "┓"), line(rows[0], "┃"), rule("┡", "━", "╇", "┩")]
    for (index, row) in rows.dropFirst().enumerated() {
        if index > 0 { lines.append(rule("├", "─", "┼", "┤")) }
        lines.append(line(row, "│"))
    }
    return lines + [rule("└", "─", "┴", "┘")]
}

/// Names may come from files.
private func shown(_ name: String) -> String { visible(name, limit: VisibleText.nameLimit) }

/// For example `(None, 26, 26, 32)`; the batch axis is open.
private func text(of shape: Shape) -> String {
    "(" + shape.dimensions.map { $0 < 0 ? "None" : "\($0)" }.joined(separator: ", ") + ")"
}

/// For example `225,034 (879.04 KB)`: a count of parameters and the memory they take, 4 bytes each.
private func amount(_ count: Int) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"]
    var size = Double(count) * 4
    var unit = 0
    while size >= 1024, unit < units.count - 1 {
        size /= 1024
        unit += 1
    }
    return "\(count.withThousandsSeparators) (\(String(format: "%.2f", size)) \(units[unit]))"
}

extension Int {
    /// The digits of a number that is not negative, in groups of three: `3,274,634`.
    fileprivate var withThousandsSeparators: String {
        let digits = String(self)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return result
    }
}
