import Foundation
import FoveaGraph

extension Sequential {
    /// A table of the layers with their output shapes and parameter counts, and the totals, as Keras prints
    /// it.
    public func summary() -> String {
        let shapes = layerOutputShapes
        var rows = [["Layer (type)", "Output Shape", "Param #"]]
        for (index, (name, layer)) in namedLayers.enumerated() {
            let count = layer.parameters.map(\.parameter.elementCount).reduce(0, +)
            rows.append([
                "\(name) (\(type(of: layer).typeName))",
                shapes.map { Self.text(of: $0[index]) } ?? "?",
                shapes == nil ? "0 (unbuilt)" : count.withThousandsSeparators,
            ])
        }
        let total = parameters.map(\.parameter.elementCount).reduce(0, +)
        let trainable = trainableParameters.map(\.parameter.elementCount).reduce(0, +)
        return
            ([#"Model: "\#(displayName)""#] + Self.table(rows) + [
                " Total params: \(Self.amount(total))",
                " Trainable params: \(Self.amount(trainable))",
                " Non-trainable params: \(Self.amount(total - trainable))",
            ]).joined(separator: "\n") + "\n"
    }

    /// The lines of a table whose first row is its header. Columns are as wide as Keras's, or wider where the
    /// text is; the last one is aligned to the right.
    private static func table(_ rows: [[String]]) -> [String] {
        let widths = zip([33, 24, 13], 0...).map { least, column in
            rows.map(\.[column].count).max().map { max(least, $0) } ?? least
        }
        func rule(_ left: String, _ line: String, _ middle: String, _ right: String) -> String {
            left + widths.map { String(repeating: line, count: $0 + 2) }.joined(separator: middle) + right
        }
        func line(_ cells: [String], _ border: String) -> String {
            let padded = cells.indices.map { column -> String in
                let space = String(repeating: " ", count: widths[column] - cells[column].count)
                return column == cells.count - 1 ? space + cells[column] : cells[column] + space
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

    /// For example `(None, 26, 26, 32)`; the batch axis is open.
    private static func text(of shape: Shape) -> String {
        "(" + shape.dimensions.map { $0 < 0 ? "None" : "\($0)" }.joined(separator: ", ") + ")"
    }

    /// For example `225,034 (879.04 KB)`: a count of parameters and the memory they take, 4 bytes each.
    private static func amount(_ count: Int) -> String {
        let units = ["B", "KB", "MB", "GB", "TB"]
        var size = Double(count) * 4
        var unit = 0
        while size >= 1024, unit < units.count - 1 {
            size /= 1024
            unit += 1
        }
        return "\(count.withThousandsSeparators) (\(String(format: "%.2f", size)) \(units[unit]))"
    }
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
