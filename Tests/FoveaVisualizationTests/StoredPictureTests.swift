import Foundation
import FoveaPictures
import Testing

@testable import FoveaVisualization

/// Figures without texts, whose fonts differ from machine to machine, look as they did when somebody looked at them.
@Suite struct StoredPictureTests {
    static func figure(_ theme: Figure.Theme) -> Figure {
        let x = (0..<30).map(Double.init)
        let image: [[Double]] = (0..<8).map { row in (0..<8).map { Double(row * $0) } }
        let panels: [Panel] = [
            Panel([
                .horizontalBand(10...20), .line(x.map { $0 * $0 / 30 }, width: 2),
                .line(x.map { 30 - $0 }, pattern: .dashed, markerSize: 4), .verticalLine(at: 12),
                .scatter(x.map { 15 + 10 * sin($0) }, size: 4, opacity: 0.6),
                .rectangle(x: 2...9, y: 22...28),
            ]),
            Panel([.bars([3, -1, 2]), .bars([1, 2, 3], width: 0.3, offset: 0.2, opacity: 0.8)]),
            Panel([.image(image)]),
            Panel([
                .image(image, colorMap: .magma, isSmooth: true),
                .image([[0, 1], [1, 0]], colorMap: .seismic, opacity: 0.4, x: 1...5, y: 1...5),
            ]),
        ]
        return Figure(
            panels.enumerated().map { index, panel in
                var panel = panel
                panel.hasAxes = false
                if index == 1 { panel.accent = theme.right }
                return panel
            }, columns: 2, size: (2.4, 2), theme: theme)
    }

    @Test(arguments: Figure.Theme.allCases) func figuresLookAsTheyDid(_ theme: Figure.Theme) throws {
        let file = try #require(
            Bundle.module.url(forResource: "Golden/figure-\(theme.rawValue)", withExtension: "png"))
        let stored = try Picture.decode(Data(contentsOf: file))
        let drawn = try Self.figure(theme).picture()
        #expect(drawn.height == stored.height && drawn.width == stored.width)
        let differences = zip(drawn.pixels, stored.pixels).map { Int($0) - Int($1) }
        // Edges are smoothed in another way by each version of the library.
        let mean = Double(differences.reduce(0) { $0 + $1.magnitude }) / Double(differences.count)
        #expect(mean < 1.5, "mean difference \(mean)")
    }
}
