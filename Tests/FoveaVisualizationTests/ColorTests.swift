import Foundation
import Testing

@testable import FoveaVisualization

@Suite struct ColorTests {
    @Test func mapsHaveMatplotlibsColors() throws {
        let file = try #require(Bundle.module.url(forResource: "Golden/colors", withExtension: "json"))
        let golden = try JSONDecoder().decode([String: [[Int]]].self, from: Data(contentsOf: file))
        #expect(golden.count == ColorMap.allCases.count)
        for map in ColorMap.allCases {
            let colors = try #require(golden[map.rawValue])
            #expect(map.samples.count == 3 * 256)
            for (number, color) in colors.enumerated() {
                let sample = map.samples[3 * 15 * number..<3 * (15 * number + 1)].map(Int.init)
                // It computes some of them from fractions that are not exact.
                #expect(zip(sample, color).allSatisfy { ($0 - $1).magnitude <= 1 }, "\(map) \(number)")
            }
        }
    }

    @Test func numbersBeyondTheEndsHaveTheColorsOfTheEnds() {
        for map in ColorMap.allCases {
            #expect(map(-1) == map(0))
            #expect(map(.infinity) == map(1))
            #expect(map(.nan) == map(0))
        }
        #expect(ColorMap.gray(1) == .white)
        #expect(ColorMap.grayReversed(0) == .white)
    }

    @Test(arguments: Figure.Theme.allCases) func marksAreSeenOnTheBackground(_ theme: Figure.Theme) {
        for color in theme.cycle { #expect(color.contrast(with: theme.background) > 4) }
        for color in [theme.text, theme.right, theme.wrong, theme.frame] {
            #expect(color.contrast(with: theme.background) > 4)
        }
        #expect(Set(theme.cycle).count == 10)
    }

    @Test func colorsAreClamped() {
        let color = Figure.Color(red: -1, green: 2, blue: .nan, alpha: 0.5)
        #expect(color == Figure.Color(red: 0, green: 1, blue: 0, alpha: 0.5))
        #expect(Figure.Color(0x0080FF).blue == 1)
        #expect(Figure.Color.white.readable == .black)
        #expect(Figure.Color(0x1F77B4).readable == .white)
    }
}
