import FoveaGraph
import FoveaPictures

extension Attribution {
    /// The map in colours over a picture, of which the map's size need not be the size: it is stretched as the picture was.
    ///
    /// - Parameters:
    ///   - picture: the one that was explained, before it was brought to the model's size.
    ///   - colors: when nil turbo for maps from 0 to 1, and seismic with white for 0 for signed ones.
    ///   - opacity: how much of the result is the map, from 0 to 1; 0.4 as in Chollet's lesson.
    /// - Returns: an RGB picture of the same size.
    /// - Throws: `InsightError` for an opacity outside 0…1.
    public func overlay(
        on picture: Picture, colors: ColorMap? = nil, opacity: Double = 0.4
    ) throws -> Picture {
        guard (0...1).contains(opacity) else {
            throw InsightError.invalidArgument("opacity", "\(opacity)", expected: "from 0 to 1")
        }
        let colors = colors ?? (method.isSigned ? .seismic : .turbo)
        let heat = HeatMap(height: map.shape[0], width: map.shape[1], map.floats).resized(to: picture.size)
        let samples = colors.samples
        var pixels = picture.rgb().pixels
        for (place, number) in heat.elements.enumerated() {
            let color = 3 * ColorMap.index(of: Double(method.isSigned ? (number + 1) / 2 : number))
            for channel in 0..<3 {
                let mixed =
                    Double(pixels[3 * place + channel]) * (1 - opacity) + Double(samples[color + channel])
                    * opacity
                pixels[3 * place + channel] = UInt8(mixed.rounded())
            }
        }
        return try Picture(height: picture.height, width: picture.width, channels: 3, pixels: pixels)
    }
}
