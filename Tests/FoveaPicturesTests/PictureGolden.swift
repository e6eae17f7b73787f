import Foundation
import FoveaFiles
import Testing

@testable import FoveaPictures

/// Golden/pictures.bin.gz, which Golden/make_pictures.py writes with Pillow and Keras.
struct PictureGolden: Sendable {
    struct Index: Decodable {
        let decode: [DecodeCase]
        let resize: [ResizeCase]
        let plain: [ResizeCase]
        let encode: [EncodeCase]
    }

    struct DecodeCase: Decodable {
        let name: String
        let file: [Int]
        let channels: Int?
        let background: [UInt8]?
        let atLeast: [Int]?
        let shape: [Int]
        let pixels: [Int]
    }

    struct Samples: Decodable {
        let shape: [Int]
        let pixels: [Int]
    }

    struct ResizeCase: Decodable {
        let input: Samples
        let method: String
        let output: Samples
    }

    struct EncodeCase: Decodable {
        let input: Samples
        let quality: Int
        let output: Samples
    }

    static let shared = Result { try PictureGolden() }

    let index: Index
    private let bytes: [UInt8]
    private let start: Int

    private init() throws {
        let path = try #require(Bundle.module.path(forResource: "Golden/pictures.bin", ofType: "gz"))
        let file = try UnpackedFile<PictureError>(path)
        bytes = try file.readBytes(count: file.greatestByteCount)
        let length = try #require(ByteRange(bytes).number(0, bytes: 4, isBigEndian: false))
        start = 4 + length
        index = try JSONDecoder().decode(Index.self, from: Data(bytes[4..<start]))
    }

    func bytes(_ part: [Int]) -> [UInt8] {
        Array(bytes[(start + part[0])..<(start + part[0] + part[1])])
    }

    func picture(_ samples: Samples) throws -> Picture {
        try Picture(
            height: samples.shape[0], width: samples.shape[1], channels: samples.shape[2],
            pixels: bytes(samples.pixels))
    }

    /// One file for each name that begins with `prefix`.
    func files(_ prefix: String = "") -> [(name: String, bytes: [UInt8])] {
        var names: Set<String> = []
        return index.decode.filter { $0.name.hasPrefix(prefix) && names.insert($0.name).inserted }
            .map { ($0.name, bytes($0.file)) }
    }

    func file(_ name: String) throws -> [UInt8] { try #require(files(name).first).bytes }
}

/// The largest difference between samples of equal sizes; nil where the sizes differ.
func greatestDifference(_ a: Picture, _ b: Picture) -> Int? {
    guard a.size == b.size, a.channels == b.channels else { return nil }
    return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max()
}
