import Foundation
import FoveaFiles
import FoveaPictures

extension RunReport {
    /// The page as HTML.
    ///
    /// - Throws: as ``write(to:)``, but for the file.
    public func html() throws -> String {
        var page = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(escaped(title))</title>
            <style>
            \(ReportStyle.sheet)
            </style>
            </head>
            <body>
            <header>
            <h1>\(escaped(title))</h1>

            """
        if !subtitle.isEmpty { page += "<p class=\"subtitle\">\(escaped(subtitle))</p>\n" }
        if !results.isEmpty {
            let cells = results.map { "<div><dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd></div>" }
            page += "<dl class=\"results\">\(cells.joined())</dl>\n"
        }
        if sections.count > 2 {
            let links = sections.enumerated().map { "<a href=\"#s\($0 + 1)\">\(escaped($1.title))</a>" }
            page += "<nav>\(links.joined(separator: " "))</nav>\n"
        }
        page += "</header>\n<main>\n"
        for (index, section) in sections.enumerated() {
            page += "<section id=\"s\(index + 1)\">\n<h2>\(escaped(section.title))</h2>\n"
            for content in section.contents { page += try content.html() + "\n" }
            page += "</section>\n"
        }
        return page + "</main>\n</body>\n</html>\n"
    }
}

extension RunReport.Content {
    /// More lines than that are folded away.
    private static let lineLimit = 60

    fileprivate func html() throws -> String {
        switch self {
        case .text(let text): return "<p>\(escaped(text))</p>"
        case .note(let text): return "<p class=\"note\">\(escaped(text))</p>"
        case .facts(let facts):
            let rows = facts.map { "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd>" }
            return "<dl class=\"facts\">\(rows.joined(separator: "\n"))</dl>"
        case .table(let headings, let rows): return Self.table(headings, rows)
        case .lines(let text):
            let count = text.split(separator: "\n").count
            // A long command goes on in the next line, tables do not.
            let kind = count == 1 ? " class=\"wrapped\"" : ""
            let lines = "<pre\(kind)>\(escaped(text, keepingLines: true))</pre>"
            return count <= Self.lineLimit
                ? lines : "<details><summary>\(count) lines</summary>\(lines)</details>"
        case .figure(let description, let figure): return try Self.picture(description, figure)
        case .exhibits(let exhibits):
            return
                "<div class=\"exhibits\">\n\(try exhibits.map { try $0.html() }.joined(separator: "\n"))\n</div>"
        }
    }

    private static func table(_ headings: [String], _ rows: [[String]]) -> String {
        let isNumber = headings.indices.map { column in
            column > 0
                && rows.allSatisfy { row in
                    !row.indices.contains(column)
                        || row[column].allSatisfy { $0.isNumber || ".,\u{2212}".contains($0) }
                }
        }
        func row(_ cells: [String], _ element: String) -> String {
            let texts = cells.enumerated().map { column, text in
                let kind =
                    isNumber.indices.contains(column) && isNumber[column] ? " class=\"number\"" : ""
                return "<\(element)\(kind)>\(escaped(text))</\(element)>"
            }
            return "<tr>\(texts.joined())</tr>"
        }
        let body = rows.map { row($0, "td") }.joined(separator: "\n")
        return
            "<div class=\"wide\"><table>\n<thead>\(row(headings, "th"))</thead>\n<tbody>\n\(body)\n</tbody>\n</table></div>"
    }

    /// The figure in both themes, of which the browser takes one. Each is a document of its own, so that names in one mean nothing in
    /// others.
    private static func picture(
        _ description: String, _ figure: (Figure.Theme) throws -> Figure
    ) throws -> String {
        let (light, dark) = (try figure(.light), try figure(.dark))
        let size = light.inches
        func source(_ figure: Figure) throws -> String {
            dataAddress("image/svg+xml", Data(try figure.encoded(as: .svg)))
        }
        return """
            <picture class="figure"><source media="(prefers-color-scheme: dark)" srcset="\(try source(dark))">\
            <img alt="\(escaped(description))" width="\(Int(size.width * 96))" height="\(Int(size.height * 96))" \
            src="\(try source(light))"></picture>
            """
    }
}

extension RunReport.Exhibit {
    /// Larger ones are made smaller, so that a page with many stays small.
    private static let longestSide = 224
    /// Smaller ones are shown as squares of colour.
    private static let pixelatedSide = 64

    fileprivate func html() throws -> String {
        let images = try pictures.map { try Self.image($0, caption) }.joined()
        let kind = isRight.map { $0 ? " class=\"right\"" : " class=\"wrong\"" } ?? ""
        let small = detail.isEmpty ? "" : "<small>\(escaped(detail))</small>"
        return
            "<figure><div class=\"images\">\(images)</div><figcaption><span\(kind)>\(escaped(caption))</span>\(small)</figcaption></figure>"
    }

    private static func image(_ picture: Picture, _ caption: String) throws -> String {
        let longest = max(picture.height, picture.width)
        if longest < pixelatedSide {
            let address = dataAddress("image/png", try picture.pngData())
            return "<img class=\"pixels\" alt=\"\(escaped(caption))\" src=\"\(address)\">"
        }
        let scale = min(1, Double(longestSide) / Double(longest))
        let smaller = try picture.resized(
            height: max(1, Int(Double(picture.height) * scale)),
            width: max(1, Int(Double(picture.width) * scale)))
        let address = dataAddress("image/jpeg", try smaller.jpegData(quality: 88))
        return "<img alt=\"\(escaped(caption))\" src=\"\(address)\">"
    }
}

private func dataAddress(_ type: String, _ data: Data) -> String {
    "data:\(type);base64,\(data.base64EncodedString())"
}

/// A text as it can stand between and in tags. What nobody sees, or what turns the direction of writing round, is spelt out.
///
/// - Parameter keepingLines: whether it is of several lines, of any length.
func escaped(_ text: String, keepingLines: Bool = false) -> String {
    var result = ""
    for character in (keepingLines ? visibleLines(text) : visible(text)).unicodeScalars {
        switch character {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&#39;"
        default: result.unicodeScalars.append(character)
        }
    }
    return result
}
