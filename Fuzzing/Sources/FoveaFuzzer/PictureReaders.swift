import FoveaDatasets
import FoveaGraph
import FoveaPictures

/// One for each format. Inputs that are of another are not read, so that a corpus keeps to its format.
let pictureReaders: [String: Reader] = Dictionary(
    uniqueKeysWithValues: PictureFormat.allCases.map { format in
        (format.rawValue.lowercased(), { @Sendable bytes in decode(bytes, format) })
    })

/// Few pixels, so that a second is enough for any picture that is accepted.
private let pixelLimit = 1 << 20

private func decode(_ bytes: [UInt8], _ format: PictureFormat) {
    guard PictureFormat(bytes) == format else { return }
    let bytes = format == .png ? withRightChecksums(bytes) : bytes
    // The last byte chooses what is asked for.
    let choice = bytes.last ?? 0
    let options = Picture.DecodingOptions(
        channels: [nil, 1, 3, nil][Int(choice & 3)], background: choice & 4 == 0 ? nil : .white,
        atLeast: choice & 8 == 0 ? nil : 5, greatestPixelCount: pixelLimit)
    guard let picture = try? Picture.decode(bytes, options) else { return }
    guard picture.pixels.count == picture.height * picture.width * picture.channels,
        picture.height * picture.width <= pixelLimit
    else { fatalError("a picture of \(picture.size) has \(picture.pixels.count) samples") }
}

/// Chunks with the checksums of their contents; otherwise no change of a byte would come past libpng's check.
private func withRightChecksums(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    var place = 8
    while place + 12 <= bytes.count {
        let length = bytes[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
        guard length <= bytes.count - place - 12 else { break }
        let end = place + 8 + length
        var checksum: UInt32 = .max
        for byte in bytes[(place + 4)..<end] {
            checksum ^= UInt32(byte)
            for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
        for i in 0..<4 { bytes[end + i] = UInt8(truncatingIfNeeded: ~checksum >> (24 - 8 * i)) }
        place = end + 4
    }
    return bytes
}
