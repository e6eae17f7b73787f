import Foundation
import FoveaPictures
import Testing

@testable import FoveaVisualization

@Suite struct TerminalTests {
    private func picture() throws -> Picture {
        try Picture(
            height: 3, width: 2, channels: 3,
            pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 51, 51, 51, 0, 0, 0])
    }

    @Test func kittyGetsAPNGFileInPieces() throws {
        var state: UInt64 = 1
        let samples = (0..<30_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(state >> 56)
        }
        let noise = try Picture(height: 100, width: 100, channels: 3, pixels: samples)
        let text = try TerminalPicture.text(noise, as: .kitty, columns: 80)
        let pieces = text.components(separatedBy: "\u{1B}_G").dropFirst()
        #expect(pieces.count > 1)
        var data = ""
        for (index, piece) in pieces.enumerated() {
            let parts = piece.components(separatedBy: ";")
            #expect(parts[0].hasSuffix("m=\(index + 1 < pieces.count ? 1 : 0)"))
            let end = try #require(parts[1].range(of: "\u{1B}\\"))
            #expect(parts[1][..<end.lowerBound].utf8.count <= 4_096)
            data += parts[1][..<end.lowerBound]
        }
        #expect(try Picture.decode(#require(Data(base64Encoded: data))) == noise)
    }

    @Test func halfBlocksHaveTwoPixelsEach() throws {
        let text = try TerminalPicture.text(picture(), as: .halfBlocks, columns: 80)
        #expect(
            text == "\u{1B}[38;2;255;0;0;48;2;0;0;255m▀\u{1B}[38;2;0;255;0;48;2;255;255;255m▀\u{1B}[0m\n"
                + "\u{1B}[38;2;51;51;51m▀\u{1B}[38;2;0;0;0m▀\u{1B}[0m\n")
        let wide = try Picture(
            height: 50, width: 200, channels: 1, pixels: [UInt8](repeating: 9, count: 10_000))
        let lines = try TerminalPicture.text(wide, as: .halfBlocks, columns: 40).split(separator: "\n")
        #expect(lines.count == 5 && lines.allSatisfy { $0.count { $0 == "▀" } == 40 })
    }

    /// Drawn again from the text.
    @Test func sixelsAreTheColorsOfTheCube() throws {
        let text = try TerminalPicture.text(picture(), as: .sixel, columns: 80)
        #expect(text.hasPrefix("\u{1B}Pq\"1;1;2;3#0;2;0;0;0") && text.hasSuffix("-\u{1B}\\\n"))
        let band = try #require(text.components(separatedBy: "#215;2;100;100;100").last)
        var pixels: [Int: [Int]] = [:]
        for part in band.split(separator: "$") where part.hasPrefix("#") {
            let color = try #require(Int(part.dropFirst().prefix { $0.isNumber }))
            pixels[color] = part.dropFirst().drop { $0.isNumber }.utf8.map { Int($0) - 63 }
        }
        #expect(
            pixels == [180: [1, 0], 30: [0, 1], 5: [2, 0], 215: [0, 2], 43: [4, 0], 0: [0, 4]],
            "\(pixels)")
    }

    @Test func terminalsAreKnownByTheirEnvironment() {
        #expect(TerminalPicture.form(["TERM": "xterm-kitty"]) == .kitty)
        #expect(TerminalPicture.form(["KITTY_WINDOW_ID": "1", "TERM": "xterm"]) == .kitty)
        #expect(TerminalPicture.form(["TERM_PROGRAM": "WezTerm"]) == .kitty)
        #expect(TerminalPicture.form(["TERM": "foot"]) == .sixel)
        #expect(TerminalPicture.form(["TERM": "xterm-256color"]) == .halfBlocks)
        #expect(TerminalPicture.form(["TERM": "screen", "KITTY_WINDOW_ID": "1"]) == .halfBlocks)
        #expect(TerminalPicture.form([:]) == .halfBlocks)
    }
}
