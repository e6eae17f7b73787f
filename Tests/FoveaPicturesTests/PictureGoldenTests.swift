import FoveaGraph
import Testing

@testable import FoveaPictures

/// Comparison with Pillow and Keras.
@Suite struct PictureGoldenTests {
    let golden: PictureGolden

    init() throws { golden = try PictureGolden.shared.get() }

    @Test func everyFileDecodesToPillowsPixels() throws {
        #expect(golden.index.decode.count > 150)
        for item in golden.index.decode {
            var options = Picture.DecodingOptions(channels: item.channels)
            options.background = item.background.map { Picture.Color(red: $0[0], green: $0[1], blue: $0[2]) }
            options.atLeast = item.atLeast.map { Size2D($0[0], $0[1]) }
            let expected = try golden.picture(.init(shape: item.shape, pixels: item.pixels))
            do {
                let picture = try Picture.decode(golden.bytes(item.file), options)
                #expect(greatestDifference(picture, expected) == 0, "\(item.name)")
            } catch {
                Issue.record("\(item.name): \(error)")
            }
        }
    }

    @Test func resizingEqualsPillows() throws {
        #expect(golden.index.resize.count > 70)
        for item in golden.index.resize {
            let method = try #require(Picture.ResizingMethod(rawValue: item.method))
            let (input, expected) = (try golden.picture(item.input), try golden.picture(item.output))
            let picture = try input.resized(height: expected.height, width: expected.width, method: method)
            #expect(
                greatestDifference(picture, expected) == 0, "\(method) \(input.size) to \(expected.size)")
        }
    }

    @Test func resizingWithoutAntialiasingEqualsKeras() throws {
        #expect(golden.index.plain.count == 8)
        for item in golden.index.plain {
            let method = try #require(Picture.ResizingMethod(rawValue: item.method))
            let shape = item.output.shape
            let bytes = golden.bytes(item.output.pixels)
            let picture = try golden.picture(item.input).resized(
                height: shape[0], width: shape[1], method: method, antialias: false)
            try #require(bytes.count == 2 * picture.pixels.count)
            let differences = picture.pixels.indices.map { i in
                abs(Float(picture.pixels[i]) - Float(Int(bytes[2 * i]) | Int(bytes[2 * i + 1]) << 8) / 256)
            }
            #expect((differences.max() ?? .infinity) <= 1, "\(method) to \(shape)")
        }
    }

    @Test func jpegFilesAreThoseOfPillow() throws {
        for item in golden.index.encode {
            let (input, expected) = (try golden.picture(item.input), try golden.picture(item.output))
            let picture = try Picture.decode(input.jpegData(quality: item.quality))
            #expect(greatestDifference(picture, expected) == 0, "quality \(item.quality)")
        }
    }
}
