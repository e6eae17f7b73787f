import Foundation
import FoveaPictures
import Testing

@Suite struct AnimationTests {
    /// Frames in which a square moves over a background of so many colours.
    private func frames(_ count: Int, height: Int = 13, width: Int = 21, colors: Int = 8) throws -> [Picture]
    {
        try (0..<count).map { frame in
            var pixels: [UInt8] = []
            for y in 0..<height {
                for x in 0..<width {
                    let isSquare = (frame..<frame + 4).contains(x) && (3..<7).contains(y)
                    let color = (y * width + x) % colors
                    pixels += isSquare ? [250, 20, 30] : [UInt8(color % 256), UInt8(color / 2 % 256), 200]
                }
            }
            return try Picture(height: height, width: width, channels: 3, pixels: pixels)
        }
    }

    @Test(arguments: Animation.Format.allCases)
    func theFirstFrameIsWhatDecodersOfStillPicturesSee(_ format: Animation.Format) throws {
        let frames = try frames(5)
        let bytes = try Animation(frames, secondsPerFrame: 0.25).encoded(as: format)
        #expect(try Picture.decode(Data(bytes)) == frames[0])
    }

    @Test(arguments: Animation.Format.allCases)
    func oneFrameOfOnePixelIsAnAnimation(_ format: Animation.Format) throws {
        let frame = try Picture(height: 1, width: 1, channels: 1, pixels: [77])
        let bytes = try Animation([frame], repeats: false).encoded(as: format)
        #expect(try Picture.decode(Data(bytes)) == frame.rgb())
    }

    /// What lies between the parts of a GIF file: the descriptors of its images.
    @Test func onlyWhatChangesIsWrittenAgain() throws {
        let same = try frames(1)[0]
        let still = try Animation([same, same, same, same], secondsPerFrame: 0.1).encoded(as: .gif).count
        let one = try Animation([same]).encoded(as: .gif).count
        #expect(still < one + 3 * 40)
    }

    @Test func coloursBeyond256AreReplacedBySimilarOnes() throws {
        let frame = try frames(1, height: 40, width: 50, colors: 1000)[0]
        let decoded = try Picture.decode(Data(Animation([frame]).encoded(as: .gif)))
        let worst = zip(decoded.pixels, frame.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 255
        #expect(decoded != frame)
        #expect(worst <= 12)
    }

    @Test func pngFilesNameTheirFrames() throws {
        let bytes = try Animation(frames(3), repeats: false).encoded(as: .png)
        func count(_ chunk: String) -> Int {
            let name = Array(chunk.utf8)
            return bytes.indices.count { bytes[$0...].starts(with: name) }
        }
        #expect(count("acTL") == 1)
        #expect(count("fcTL") == 3)
        #expect(count("fdAT") >= 2)
        #expect(count("IEND") == 1)
    }

    @Test func frameThatCannotBeShownIsRefused() throws {
        let frames = try frames(1) + frames(1, height: 14)
        #expect(throws: PictureError.self) { try Animation([]) }
        let error = #expect(throws: PictureError.self) { try Animation(frames) }
        #expect(error?.description.contains("frame 2") == true)
        #expect(throws: PictureError.self) { try Animation([frames[0]], secondsPerFrame: .nan) }
        #expect(throws: PictureError.self) { try Animation([frames[0]]).write(to: "animation.mp4") }
    }
}
