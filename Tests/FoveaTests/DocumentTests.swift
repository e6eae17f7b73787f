import Fovea
import Testing

/// What the texts show is what the sources beside this one compile and run.
@Suite struct DocumentTests {
    @Test(arguments: [
        ("docs/from-keras.md", "KerasGuideTests.swift"),
        ("docs/from-pytorch.md", "PyTorchGuideTests.swift"),
        ("README.md", "ReadmeCode.swift"),
    ])
    func blocksAreThoseOfTheSource(document: String, source: String) throws {
        let shown = try Document(document).codeBlocks
        let compiled = try Document("Tests/FoveaTests/\(source)").markedBlocks
        #expect(shown.count == compiled.count)
        for (block, code) in zip(shown, compiled) { #expect(block == code) }
        #expect(!shown.isEmpty)
    }

    /// What the lessons' texts show is in their programs, one piece after the other, whatever its indentation there.
    @Test(arguments: 0..<5)
    func lessonsShowTheirPrograms(number: Int) throws {
        let shown = try Document("docs/lessons/lesson-\(number).md").codeBlocks
        let programs = try Document.sources(in: "Examples/Lessons/Lesson\(number)").map(\.unindentedText)
        for block in shown {
            let lines = block.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            let text = lines.joined(separator: "\n")
            #expect(programs.contains { $0.contains(text) }, "not in the program: \(block)")
        }
        #expect(!shown.isEmpty)
    }

    @Test(arguments: ["docs/from-keras.md", "docs/from-pytorch.md"])
    func callsInTablesAreCompiled(document: String) throws {
        let sources = ["DataCalls", "FigureCalls", "LayerCalls", "ModelCalls", "TrainingCalls", "ValueCalls"]
        let code = try sources.map { try Document("Tests/FoveaTests/\($0).swift").plainCode }
            .joined(separator: " ")
        let calls = try Document(document).calls
        #expect(calls.count > 100)
        // Not the code itself, which a failure would print.
        #expect(calls.filter { !code.hasWords($0) } == [])
    }

    /// What a guide says is missing stays there only as long as it is.
    @Test(arguments: ["docs/from-keras.md", "docs/from-pytorch.md"])
    func whatIsMissingIsMissing(document: String) throws {
        let text = try Document(document).text
        let missing = try #require(text.components(separatedBy: "\n## What ").last)
        var here = builtInLayers.map { $0.typeName.lowercased() }
        here += builtInLosses.map { "\($0)".lowercased() } + builtInMetrics.map { "\($0)".lowercased() }
        here += builtInOptimizers.map { "\($0)".lowercased() }
        let names = missing.components(separatedBy: "\n- ").dropFirst().prefix(2).flatMap(Document.codeSpans)
        #expect(names.count > 8)
        for name in names { #expect(!here.contains(name.lowercased()), "\(name) is not missing any more") }
    }

    @Test func wordsAreFoundWhole() {
        #expect("let x = Add()(a, b)".hasWords("Add()"))
        #expect(!"AddedLosses().AddX()".hasWords("Add"))
        #expect("xAdd Add".hasWords("Add"))
        #expect("a.huber(delta: 1)".hasWords(".huber(delta: 1)"))
        #expect(!"model.layersOfIt".hasWords("model.layers"))
    }
}
