import FoveaFiles
import Testing

@Suite struct VisibleTextTests {
    @Test func ordinaryTextStaysAsItIs() {
        for text in [
            "", "conv2d_1", "Käse/Straße 3×3 µs", "猫", "🐈", "👩‍👧", "می\u{200C}خواهم", "a\u{0301}",
            String(repeating: "x", count: 2_000),
        ] {
            #expect(visible(text) == text)
        }
    }

    /// What a terminal obeys, what has no width and what turns the direction of writing round.
    @Test(arguments: [
        ("\u{1B}[2J", "\\u{1B}[2J"), ("a\nb\r\tc", "a\\u{A}b\\u{D}\\u{9}c"),
        ("\u{7F}\u{9B}m", "\\u{7F}\\u{9B}m"),
        ("\u{202E}gpj.exe", "\\u{202E}gpj.exe"), ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
        ("a\u{200B}b\u{FEFF}", "a\\u{200B}b\\u{FEFF}"), ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
        ("\u{E0041}", "\\u{E0041}"), ("\0", "\\u{0}"),
    ])
    func whatCannotBeSeenIsSpeltOut(text: String, shown: String) {
        #expect(visible(text) == shown)
        #expect(visible(shown) == shown)
    }

    @Test func longTextsLoseTheirMiddle() {
        let long = "start " + String(repeating: "x", count: 1_000_000) + " end"
        let shown = visible(long, limit: 200)
        #expect(shown.hasPrefix("start xxx") && shown.hasSuffix("xxx end"))
        #expect(shown.contains("…(99") && shown.contains(" more characters)…"))
        #expect(shown.unicodeScalars.count <= 200 && shown.unicodeScalars.count > 150)
        #expect(visible(shown, limit: 200) == shown)
        // What is left out and what is shown are all of it.
        let parts = shown.split(separator: "…")
        let left = parts[1].drop { !$0.isNumber }.prefix { $0.isNumber }
        #expect(parts[0].count + parts[2].count + (Int(left) ?? 0) == long.count)
    }

    @Test(arguments: [100, 120, 2_000]) func noTextIsLongerThanTheLimit(limit: Int) {
        for count in [limit / 7, limit / 6, limit / 2, limit - 1, limit, limit + 1, 10 * limit] {
            for unit in ["x", "\u{1B}", "é", "\u{202E}a"] {
                let text = String(repeating: unit, count: count)
                let shown = visible(text, limit: limit)
                #expect(shown.unicodeScalars.count <= limit)
                #expect(shown.unicodeScalars.allSatisfy { $0 != "\u{1B}" && $0 != "\u{202E}" })
                if text.unicodeScalars.count * 8 <= limit { #expect(!shown.contains("more characters")) }
            }
        }
    }

    @Test func linesStayLines() {
        let long = String(repeating: "x", count: 5_000)
        #expect(visibleLines("a\tb\n\n\(long)\u{1B}[m\r\n") == "a\tb\n\n\(long)\\u{1B}[m\\u{D}\n")
    }
}
