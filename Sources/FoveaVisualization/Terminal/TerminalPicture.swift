import Foundation
import FoveaPictures

/// A picture as a text that a terminal shows.
package enum TerminalPicture {
    /// What a terminal understands.
    package enum Form: String, CaseIterable {
        /// The graphics protocol of kitty, which Ghostty, WezTerm and Konsole have too: a PNG file in pieces.
        case kitty
        /// DEC's sixels, which foot, mlterm, xterm -ti vt340 and others have: six rows of pixels at a time, in 216 colours.
        case sixel
        /// Two pixels above each other in each character, in 24-bit colours.
        case halfBlocks
    }

    /// What the terminal understands, by what it says of itself in the environment.
    package static func form(_ environment: [String: String]) -> Form {
        let terminal = environment["TERM"] ?? ""
        let program = environment["TERM_PROGRAM"] ?? ""
        // What runs inside them hands no pictures on.
        if terminal.hasPrefix("screen") || terminal.hasPrefix("tmux") || environment["TMUX"] != nil {
            return .halfBlocks
        }
        if terminal.contains("kitty") || terminal.contains("ghostty") || environment["KITTY_WINDOW_ID"] != nil
            || ["WezTerm", "ghostty"].contains(program) || environment["KONSOLE_VERSION"] != nil
        {
            return .kitty
        }
        if terminal.contains("sixel") || ["foot", "mlterm", "yaft"].contains(where: terminal.hasPrefix) {
            return .sixel
        }
        return .halfBlocks
    }

    /// The text, with a line break behind it.
    ///
    /// - Parameters:
    ///   - picture: any.
    ///   - form: what the terminal understands.
    ///   - columns: how many characters a line has, for half blocks.
    /// - Throws: `PictureError` when there is not enough memory.
    package static func text(_ picture: Picture, as form: Form, columns: Int) throws(PictureError) -> String {
        switch form {
        case .kitty: try kitty(picture)
        case .sixel: sixel(picture.rgb())
        case .halfBlocks: try halfBlocks(picture.rgb(), columns: max(1, columns))
        }
    }

    /// Transmits and shows a PNG file (`a=T`, `f=100`) in pieces of 4,096 characters, of which all but the last announce more.
    private static func kitty(_ picture: Picture) throws(PictureError) -> String {
        let characters = Array(try picture.pngData().base64EncodedString().utf8)
        var text = ""
        for start in stride(from: 0, to: characters.count, by: 4_096) {
            let end = min(start + 4_096, characters.count)
            let settings = (start == 0 ? "a=T,f=100,q=2," : "") + "m=\(end < characters.count ? 1 : 0)"
            text += "\u{1B}_G\(settings);\(String(decoding: characters[start..<end], as: UTF8.self))\u{1B}\\"
        }
        return text + "\n"
    }

    /// Of each colour of a cube of 6×6×6, which pixels of each column of a band of six rows have it.
    private static func sixel(_ picture: Picture) -> String {
        var text = "\u{1B}Pq\"1;1;\(picture.width);\(picture.height)"
        for color in 0..<216 {
            let levels = [color / 36, color / 6 % 6, color % 6].map { $0 * 20 }
            text += "#\(color);2;\(levels[0]);\(levels[1]);\(levels[2])"
        }
        let colors = stride(from: 0, to: picture.pixels.count, by: 3).map { index -> Int in
            func level(_ channel: Int) -> Int { (Int(picture.pixels[index + channel]) * 5 + 127) / 255 }
            return level(0) * 36 + level(1) * 6 + level(2)
        }
        for top in stride(from: 0, to: picture.height, by: 6) {
            var bits: [Int: [UInt8]] = [:]
            for row in top..<min(top + 6, picture.height) {
                for column in 0..<picture.width {
                    bits[
                        colors[row * picture.width + column],
                        default: [UInt8](repeating: 0, count: picture.width)][
                            column] |= 1 << UInt8(row - top)
                }
            }
            for (color, columns) in bits.sorted(by: { $0.key < $1.key }) {
                text += "#\(color)\(runs(columns))$"
            }
            text += "-"
        }
        return text + "\u{1B}\\\n"
    }

    /// Sixels with repeated ones counted.
    private static func runs(_ columns: [UInt8]) -> String {
        var text = ""
        var start = 0
        while start < columns.count {
            var end = start + 1
            while end < columns.count, columns[end] == columns[start] { end += 1 }
            let sixel = String(UnicodeScalar(63 + columns[start]))
            text += end - start > 3 ? "!\(end - start)\(sixel)" : String(repeating: sixel, count: end - start)
            start = end
        }
        return text
    }

    /// Pixels above in the colour of the letter `▀`, those below in that of its background.
    private static func halfBlocks(_ picture: Picture, columns: Int) throws(PictureError) -> String {
        var picture = picture
        if picture.width > columns {
            let height = max(
                1, Int((Double(picture.height) * Double(columns) / Double(picture.width)).rounded()))
            picture = try picture.resized(height: height, width: columns)
        }
        func color(_ row: Int, _ column: Int) -> String? {
            guard row < picture.height else { return nil }
            let index = 3 * (row * picture.width + column)
            return picture.pixels[index..<index + 3].map(String.init).joined(separator: ";")
        }
        var text = ""
        for row in stride(from: 0, to: picture.height, by: 2) {
            var last = ""
            for column in 0..<picture.width {
                let above = color(row, column) ?? "0;0;0"
                let style = "38;2;\(above)" + (color(row + 1, column).map { ";48;2;\($0)" } ?? "")
                if style != last { text += "\u{1B}[\(style)m" }
                last = style
                text += "▀"
            }
            text += "\u{1B}[0m\n"
        }
        return text
    }
}
