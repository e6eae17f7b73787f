import FoveaGraph
import Testing

@Suite struct ErrorTextTests {
    /// Errors may name what comes from anywhere.
    @Test func errorsShowNamesVisibly() {
        let name = "\u{1B}[31m\u{202E}" + String(repeating: "n", count: 1_000_000)
        let errors: [any Error] = [
            ShapeError(name, "wrong", path: [name, name]), ShapeError("Conv2D", name).inside(name),
            GradientError(operation: name, reason: name),
        ]
        for error in errors {
            let text = "\(error)"
            #expect(
                !text.contains("\u{1B}") && !text.contains("\u{202E}") && text.unicodeScalars.count <= 2_000)
            #expect(text.contains("\\u{1B}[31m\\u{202E}nnn"))
        }
    }
}
