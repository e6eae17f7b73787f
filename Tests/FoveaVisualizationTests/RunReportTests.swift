import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaModels
import FoveaOneDNN
import FoveaPictures
import FoveaTraining
import Testing

@testable import FoveaVisualization

@Suite struct RunReportTests {
    private static let odd = "<script>alert(1)</script> \"&' \u{1B}[31m\u{202E}"

    private func sequential(_ shape: Shape, @LayerBuilder _ layers: () -> [any Layer]) throws -> Sequential {
        try Sequential(name: "tried", input: shape, seed: 3, layers)
    }

    /// Pictures `[8, 8, 1]` of two classes.
    private func examples(_ count: Int, _ labels: [Int32]) throws -> Dataset<Example> {
        let pixels = (0..<(count * 64)).map { UInt8($0 * 37 % 251) }
        return Dataset(
            try Examples(
                inputs: [TensorValue(shape: [count, 8, 8, 1], storage: .uint8(pixels))],
                targets: [TensorValue(labels)]))
    }

    private func report(_ page: [RunReport.Section]) throws -> String {
        try RunReport(title: "t", sections: page).html()
    }

    /// No text can become a tag, an attribute or something that a terminal or reader obeys.
    @Test func allTextsAreEscaped() throws {
        let odd = Self.odd
        var report = RunReport(title: odd, subtitle: odd, results: [.init(odd, odd)])
        let picture = try Picture(height: 2, width: 3, color: .black)
        report.sections = [
            .init(
                odd,
                [
                    .text(odd), .note(odd), .facts([.init(odd, odd)]),
                    .table(headings: [odd, odd], rows: [[odd, odd]]), .lines("\(odd)\n\(odd)"),
                    .figure(description: odd) { Figure([Panel(title: odd, [.line([1, 2])])], theme: $0) },
                    .exhibits([.init([picture], caption: odd, detail: odd, isRight: false)]),
                ]), .init("b", []), .init("c", []),
        ]
        let html = try report.html()
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &quot;&amp;&#39; "))
        #expect(!html.contains("<script") && !html.contains("\u{1B}") && !html.contains("\u{202E}"))
        #expect(try XMLTags(html).problem == nil)
        #expect(try report.html() == html)
    }

    /// One of a bright page and one of a dark one, each a document of its own.
    @Test func figuresAreThereForBrightAndDarkPages() throws {
        let html = try report([
            .init("f", [.figure(description: "d") { Figure([Panel([.line([1, 2])])], theme: $0) }])
        ])
        let documents = html.components(separatedBy: "data:image/svg+xml;base64,").dropFirst().map {
            String(
                decoding: Data(base64Encoded: String($0.prefix { $0 != "\"" })) ?? Data(), as: UTF8.self)
        }
        #expect(documents.count == 2 && documents.allSatisfy { $0.hasPrefix("<?xml") })
        #expect(documents[0] != documents[1])
        #expect(html.contains("prefers-color-scheme: dark"))
    }

    @Test func manyClassesAreShortened() throws {
        let classes = 200
        let labels = (0..<400).map { Int32($0 % classes) }
        let outputs = labels.flatMap { label in
            (0..<classes).map { Float($0 == Int(label) / 2 * 2 ? 0.9 : 0.1 / 199) }
        }
        let answers = try ClassificationReport(
            targets: TensorValue(labels), predictions: TensorValue(shape: [400, classes], outputs))
        let html = try report([.classes(of: answers)])
        #expect(!html.contains("<img"))
        #expect(html.contains("Of 200 classes the 50 with the smallest F1 scores"))
        #expect(html.components(separatedBy: "<tr>").count - 1 == 2 + 50 + 20)
        #expect(html.utf8.count < 60_000)
    }

    @Test func oneClassAndNoAnswersAreSaid() throws {
        let one = try ClassificationReport(
            targets: TensorValue([Int32(0), 0]), predictions: TensorValue(shape: [2, 1], [0.2, 0.7]),
            classNames: ["a", "b"])
        #expect(try report([.classes(of: one)]).contains("All examples are of one class"))
        let none = try ClassificationReport(
            targets: TensorValue([Int32(0)]), predictions: TensorValue(shape: [1, 2], [.nan, .nan]))
        let html = try report([.classes(of: none)])
        #expect(html.contains("No example was answered") && html.contains("Not counted are 1 examples"))
        let without = try report([.curves(of: History(csv: "epoch,loss\n"))])
        #expect(without.contains("no curves"))
    }

    /// Binary answers, by convolutions: each picture stands beside what decided.
    @Test func wrongPicturesHaveHeatMaps() async throws {
        let model = try sequential([8, 8, 1]) {
            Conv2D(filters: 4, kernelSize: 3, activation: .relu)
            Flatten()
            Dense(units: 1, activation: .sigmoid)
        }
        let examples = try examples(5, [0, 1, 0, 1, 0])
        let answers = try await Predictor(model, classNames: ["<cat>", "dog"]).report(on: examples)
        let section = try await RunReport.Section.worst(
            3, of: answers, examples: examples, model: model, name: { "picture \($0) &" })
        let html = try report([section])
        #expect(html.components(separatedBy: "<figure>").count == 4)
        #expect(html.components(separatedBy: "data:image/png").count == 4)
        #expect(html.components(separatedBy: "data:image/jpeg").count == 4)
        #expect(html.contains("what decided") && html.contains("&lt;cat&gt;"))
        #expect(html.contains("picture \(answers.worst(1)[0].index) &amp;"))
        let filters = await RunReport.Section.filters(of: model)
        #expect(try filters.map { try report([$0]) }?.contains("conv2d") == true)
        await #expect(throws: VisualizationError.self) {
            _ = try await RunReport.Section.worst(0, of: answers, examples: examples, model: model)
        }
    }

    @Test func modelsWithoutConvolutionsHaveNoHeatMaps() async throws {
        let model = try sequential([8, 8, 1]) {
            Flatten()
            Dense(units: 2, activation: .softmax)
        }
        let examples = try examples(4, [0, 1, 0, 1])
        let answers = try await Predictor(model).report(on: examples)
        let html = try await report([.worst(2, of: answers, examples: examples, model: model)])
        #expect(html.contains("no convolution"))
        #expect(html.components(separatedBy: "<img").count == 3)
        #expect(await RunReport.Section.filters(of: model) == nil)
        let layers = try report([.layers(of: model)])
        #expect(layers.contains("dense (Dense)") && !layers.contains("<details>"))
    }

    /// Inputs that nobody could look at.
    @Test func inputsThatAreNoPicturesAreSaid() async throws {
        let model = try sequential([4, 4, 2]) {
            Conv2D(filters: 3, kernelSize: 2)
            Flatten()
            Dense(units: 2, activation: .softmax)
        }
        let examples = Dataset(
            try Examples(
                inputs: [TensorValue(shape: [2, 4, 4, 2], (0..<64).map { Float($0) / 64 })],
                targets: [TensorValue([Int32(0), 1])]))
        let answers = try await Predictor(model).report(on: examples)
        let html = try await report([.worst(2, of: answers, examples: examples, model: model)])
        #expect(html.contains("are no pictures") && !html.contains("<img"))
        // Nor are filters of such inputs.
        #expect(await RunReport.Section.filters(of: model) == nil)
    }

    @Test func numbersAreBelowEachOther() throws {
        let html = try report([
            .init(
                "n",
                [
                    .table(
                        headings: ["1", "2", "3"], rows: [["5", "1,234", "7ab"], ["6", "\u{2212}0.5", "8"]])
                ])
        ])
        #expect(html.contains("<td>5</td><td class=\"number\">1,234</td><td>7ab</td>"))
        #expect(html.contains("<th>1</th><th class=\"number\">2</th><th>3</th>"))
    }

    @Test func largePicturesAreMadeSmaller() throws {
        let large = try Picture(height: 3_000, width: 1_000, color: .grey(90))
        let html = try report([.init("a", [.exhibits([.init([large], caption: "large")])])])
        #expect(html.utf8.count < 20_000)
    }
}

/// Whether the tags of a page are closed in the order in which they were opened.
private struct XMLTags {
    private(set) var problem: String?

    init(_ html: String) throws {
        let empty: Set = ["meta", "img", "source", "!DOCTYPE"]
        var open: [String] = []
        for part in html.components(separatedBy: "<").dropFirst() {
            guard let end = part.firstIndex(of: ">") else {
                problem = "a tag has no end: \(part)"
                return
            }
            let tag = part[..<end]
            let name = String(tag.prefix { $0 != " " })
            if name.hasPrefix("/") {
                guard open.popLast() == String(name.dropFirst()) else {
                    problem = "\(name) ends nothing"
                    return
                }
            } else if !empty.contains(name) {
                open.append(name)
            }
        }
        if !open.isEmpty { problem = "not ended: \(open)" }
    }
}
