import Foundation
import FoveaFiles
import FoveaGraph
import FoveaPictures
import Testing

@testable import FoveaVisualization

@Suite struct FigureTests {
    /// One of each mark.
    static func everything(_ theme: Figure.Theme = .light) -> Figure {
        let x = (0..<20).map(Double.init)
        var lines = Panel(
            title: "Lines & <b>points</b>\nof two lines", xLabel: "x", yLabel: "y",
            [
                .line(x.map { $0 * $0 }, x: x, label: "squares", pattern: .dashed, markerSize: 4),
                .scatter(x.map { 300 - $0 }, label: "points"), .horizontalLine(at: 100, label: "limit"),
                .verticalLine(at: 4), .horizontalBand(50...60), .verticalBand(2...3),
                .rectangle(x: 1...2, y: 10...20),
                .text("שלום <i>", x: 10, y: 200, angle: 30),
            ])
        lines.hasGrid = true
        var log = Panel(title: "Log", [.line([0, 1, 10, 100, .nan, 1e5])])
        log.yScale = .log
        var bars = Panel(title: "Bars", [.bars([1, -2, 3]), .histogram([0.1, 0.2, 0.2, 0.5], bins: 4)])
        bars.xTicks = .names(["one", "two & three", String(repeating: "very long ", count: 30)])
        var image = Panel(title: "Image", [.image([[1, 2], [3, .nan]])])
        image.colorBar = Panel.ColorBar(label: "number")
        var picture = Panel([.image([[[1.0, 0, 0, 0.5], [0, 1, 0, 1]]])])
        picture.hasAxes = false
        picture.accent = theme.wrong
        let matrix = Panel(
            title: "Matrix", [.matrix([[1, 0.5], [0.25, 0]], highlighted: [(row: 0, column: 1)])])
        return Figure(
            [lines, log, bars, image, picture, matrix], columns: 3, title: "Everything", theme: theme)
    }

    @Test(arguments: Figure.Theme.allCases, Figure.Format.allCases)
    func theSameFigureIsTheSameBytes(_ theme: Figure.Theme, _ format: Figure.Format) async throws {
        let first = try Self.everything(theme).encoded(as: format)
        let start: [UInt8] =
            switch format {
            case .png: [0x89, 0x50, 0x4E, 0x47]
            case .svg: Array("<?xml".utf8)
            case .pdf: Array("%PDF-".utf8)
            }
        #expect(first.starts(with: start))
        // Also on several threads at once.
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<4 { group.addTask { try Self.everything(theme).encoded(as: format) } }
            for try await bytes in group { #expect(bytes == first) }
        }
    }

    @Test func sizesAreInchesTimesDots() throws {
        let panel = Panel([.line([1, 2])])
        let usual = try Figure(panel).picture()
        #expect(usual.width == 640 && usual.height == 480)
        let small = try Figure([panel], size: (1, 0.5), dpi: 72).picture()
        #expect(small.width == 72 && small.height == 36)
        let svg = String(decoding: try Figure(panel).encoded(as: .svg), as: UTF8.self)
        #expect(svg.contains("width=\"460.8pt\" height=\"345.6pt\""), "\(svg.prefix(300))")
    }

    /// Texts are drawn as they are, and lines, areas and images as what they are.
    @Test func documentsHaveTheElementsOfTheFigure() throws {
        let color = Figure.Color(0xFF0000)
        var panel = Panel([
            .line([1, 2, 3], color: color), .image([[[0.0, 0, 1], [1, 1, 1]]], x: 0...1, y: 1...2),
            .bars([2, 1], color: Figure.Color(0x00FF00)),
        ])
        panel.hasAxes = false
        let svg = String(decoding: try Figure(panel).encoded(as: .svg), as: UTF8.self)
        func count(_ text: String) -> Int { svg.components(separatedBy: text).count - 1 }
        #expect(count("<image") == 1)
        // Browsers would blur the two pixels.
        #expect(svg.contains("<svg image-rendering=\"pixelated\""))
        var smooth = panel
        smooth.marks.append(.image([[0.0, 1]], isSmooth: true))
        #expect(
            !String(decoding: try Figure(smooth).encoded(as: .svg), as: UTF8.self).contains("pixelated"))
        #expect(svg.contains("rgb(100%,0%,0%)") || svg.contains("rgb(100%, 0%, 0%)"))
        #expect(svg.contains("rgb(0%,100%,0%)") || svg.contains("rgb(0%, 100%, 0%)"))
        var titled = panel
        titled.title = "</svg><script>&\u{1B}\u{202E}"
        let withTitle = String(decoding: try Figure(titled).encoded(as: .svg), as: UTF8.self)
        // Each letter is used where it stands.
        #expect(withTitle.components(separatedBy: "<use").count > count("<use") + 20)
        #expect(!withTitle.contains("script"))
        #expect(withTitle.components(separatedBy: "</svg>").count == 2)
    }

    /// A low row above a high one, each filled by an image, so that nothing is blank.
    @Test func rowsAreAsHighAsTheyAreSaidToBe() throws {
        func image(_ color: Double, rows: Int) -> Figure {
            let panel = Figure.imagePanel(
                [[[Double]]](repeating: [[color, 0, 0], [color, 0, 0]], count: rows), title: "", nil)
            return Figure([panel], size: (2, Double(rows)))
        }
        let picture = try Figure.stacked([image(1, rows: 1), image(0.5, rows: 3)], theme: .light).picture()
        #expect(picture.width == 200 && picture.height == 400)
        func red(_ row: Int) -> UInt8 { picture.pixels[3 * (row * 200 + 100)] }
        #expect(red(50) == 255 && picture.pixels[3 * (50 * 200 + 100) + 1] == 0)
        #expect(red(150) == 128 && red(380) == 128)
        let blank = (0..<400).count { picture.pixels[3 * ($0 * 200 + 100) + 1] == 255 }
        #expect(blank < 45, "\(blank) rows are blank")
    }

    @Test(arguments: Figure.Theme.allCases) func pixelsAreWhereTheyBelong(_ theme: Figure.Theme) throws {
        var panel = Panel([.image([[[1.0, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 0]]])])
        panel.hasAxes = false
        let picture = try Figure([panel], size: (1, 1), dpi: 100, theme: theme).picture()
        func color(_ row: Int, _ column: Int) -> [UInt8] {
            Array(picture.pixels[3 * (row * 100 + column)..<3 * (row * 100 + column) + 3])
        }
        #expect(color(25, 25) == [255, 0, 0] && color(25, 75) == [0, 255, 0])
        #expect(color(75, 25) == [0, 0, 255] && color(75, 75) == [255, 255, 0])
        // Pixels that are enlarged have sharp edges.
        #expect(color(49, 49) == [255, 0, 0] && color(50, 50) == [255, 255, 0])
        #expect(color(0, 0) == (theme == .light ? [255, 255, 255] : [0x16, 0x19, 0x1D]))
        panel.yIsInverted = false
        let turned = try Figure([panel], size: (1, 1), dpi: 100).picture()
        #expect(Array(turned.pixels[3 * (25 * 100 + 25)..<3 * (25 * 100 + 25) + 3]) == [0, 0, 255])
    }

    @Test func notANumberIsAGap() throws {
        var panel = Panel([.line([0, 0, .nan, 0, 0], color: .black, width: 4)])
        panel.hasAxes = false
        let picture = try Figure([panel], size: (2, 1), dpi: 100).picture().grey()
        let columns = (0..<200).map { column in
            (0..<100).contains { picture.pixels[$0 * 200 + column] < 128 }
        }
        // The points are at equal distances, the third in the middle.
        #expect(columns[40] && columns[160] && !columns[90] && !columns[100] && !columns[110])
    }

    @Test func whatIsOutsideOfTheLimitsIsNotSeen() throws {
        var panel = Panel([
            .line([-1e300, 1e300], x: [-1e300, 1e300], color: .black), .bars([1e200], x: [5]),
            .scatter([1e9], x: [1e9]), .horizontalBand(-1e250...1e250),
        ])
        (panel.xLimits, panel.yLimits) = (0...1, 0...1)
        #expect(try !Figure(panel).encoded(as: .svg).isEmpty)
        let picture = try Figure(panel).picture()
        #expect(Set(picture.pixels).count > 2)
    }

    // MARK: Errors

    static let wrong: [(Figure, VisualizationError.Kind, String)] = {
        func figure(_ marks: Mark...) -> Figure { Figure(Panel(title: "p", marks)) }
        func log(_ mark: Mark) -> Figure {
            var panel = Panel([mark])
            panel.yScale = .log
            return Figure(panel)
        }
        var limits = Panel([.line([1])])
        limits.xLimits = 0...0
        var ticks = Panel([.line([1])])
        ticks.xTicks = .labels(["a"], at: [])
        var huge = Figure(Panel([.line([1])]))
        huge.size = (400, 400)
        var heights = Figure([Panel([.line([1])]), Panel([.line([1])])])
        heights.rowHeights = [1]
        var noHeight = heights
        noHeight.rowHeights = [1, .nan]
        return [
            (Figure([]), .noData, "no panels"),
            (
                figure(.line([Double.nan, .nan], label: "loss")), .noData,
                "panel 'p': no point of the line 'loss'"
            ),
            (figure(.line([Double]())), .noData, "has no numbers"),
            (figure(.line([1, 2], x: [1])), .wrongShape, "1 x and 2 y values"),
            (figure(.line([[1, 2], [3, 4]])), .wrongShape, "list of numbers"),
            (figure(.scatter([[1], [2, 3]])), .wrongShape, "different lengths"),
            (log(.line([0, -1])), .noData, "none is positive"),
            (log(.image([[1]])), .invalidArgument, "linear"),
            (figure(.image([1, 2, 3])), .wrongShape, "[3] are no image"),
            (figure(.image([[[1, 2]]])), .wrongShape, "[1, 1, 2] are no image"),
            (figure(.image([[Double.nan]])), .noData, "all numbers"),
            (figure(.image([[Double]]())), .noData, "no pixels"),
            (figure(.matrix([1, 2])), .wrongShape, "no matrix"),
            (figure(.matrix([[1, 2]], texts: ["a"])), .wrongShape, "1 texts"),
            (figure(.histogram([Double.nan])), .noData, "all 1 are NaN"),
            (figure(.histogram([1], bins: 0)), .invalidArgument, "1 to 10,000"),
            (figure(.horizontalLine(at: .nan)), .invalidArgument, "has no place"),
            (figure(.rectangle(x: 0...1, y: 0...Double.infinity)), .invalidArgument, "has no place"),
            (figure(.text("a", x: .infinity, y: 0)), .invalidArgument, "has no place"),
            (figure(.line([1], width: -1)), .invalidArgument, "from 0 to 1,000"),
            (Figure(limits), .invalidArgument, "two different"),
            (Figure(ticks), .invalidArgument, "1 texts for 0"),
            (huge, .tooLarge, "40000×40000"),
            (Figure([Panel()], columns: 0), .invalidArgument, "columns"),
            (Figure([Panel()], size: (.nan, 1)), .invalidArgument, "inches"),
            (Figure([Panel()], dpi: 0), .invalidArgument, "dots per inch"),
            (heights, .invalidArgument, "2 rows and rowHeights [1.0]"),
            (noHeight, .invalidArgument, "one number from 0.001"),
        ]
    }()

    @Test(arguments: wrong.indices) func errorsSayWhatIsWrong(_ index: Int) throws {
        let (figure, kind, text) = Self.wrong[index]
        for format in Figure.Format.allCases {
            let error = #expect(throws: VisualizationError.self) { try figure.encoded(as: format) }
            #expect(
                error?.kind == kind && error?.message.contains(text) == true, "\(String(describing: error))")
        }
    }

    @Test func filesAreWrittenWholeOrNotAtAll() throws {
        let folder = NSTemporaryDirectory() + "fovea-figures-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let figure = Self.everything()
        for name in ["a.png", "b.SVG", "c.tar.pdf"] { try figure.write(to: "\(folder)/\(name)") }
        #expect(try Picture.decode(contentsOf: "\(folder)/a.png").width > 500)
        for name in ["a", "a.jpg", "png", ".png.", "x.png/"] {
            #expect(throws: VisualizationError.self, "\(name)") { try figure.write(to: "\(folder)/\(name)") }
        }
        #expect(throws: VisualizationError.self) { try Figure([]).write(to: "\(folder)/d.png") }
        #expect(throws: FileError.self) { try figure.write(to: "\(folder)/absent/d.png") }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
                "a.png", "b.SVG", "c.tar.pdf",
            ])
    }

    @Test func oddFiguresAreDrawn() throws {
        let panels: [Panel] = [
            Panel(), Panel(title: "only a title"), Panel([.image([[0.5]])]),
            Panel([.image([[3, 3], [3, 3]])]),
            Panel([.line([5])]), Panel([.line([1e-300, 2e-300])]), Panel([.line([1e300, -1e300])]),
            Panel([.bars([0, 0])]), Panel(title: String(repeating: "word ", count: 500), [.scatter([1])]),
            Panel(xLabel: String(repeating: "x", count: 5_000), [.line([1, 2])]),
            Panel([.histogram([2, 2])]),
            Panel(title: "\u{0}\u{7}\r\n\t", [.text("\u{0}", x: 0, y: 0)]),
            Panel([.image(TensorValue(unchecked: [1, 2_000], .float32([Float](repeating: 1, count: 2_000))))]
            ),
        ]
        for (index, var panel) in panels.enumerated() {
            panel.colorBar = Panel.ColorBar()
            for size in [(6.4, 4.8), (0.1, 0.1), (0.3, 8)] {
                for format in Figure.Format.allCases {
                    #expect(try !Figure([panel], size: size).encoded(as: format).isEmpty, "\(index) \(size)")
                }
            }
        }
        #expect(try !Figure(panels, columns: 13, size: (3, 3)).encoded(as: .png).isEmpty)
    }
}
