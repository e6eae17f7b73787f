import FoveaDatasets
import FoveaGraph
import FoveaPictures

extension Augmentation {
    /// A grid of one picture as training may see it: as it is, and changed in ways that the seed chooses.
    ///
    /// - Parameters:
    ///   - picture: the picture to change.
    ///   - count: how many changed ones, from 1 to 1,000.
    ///   - seed: chooses the random numbers.
    ///   - columns: how many stand beside each other; what makes the grid about square when nil.
    ///   - title: what stands above all.
    ///   - theme: which colours there are.
    /// - Throws: `VisualizationError` for a count out of range, `DatasetError` when the picture cannot be changed so.
    public func plot(
        _ picture: Picture, count: Int = 8, seed: UInt64 = 0, columns: Int? = nil, title: String = "",
        theme: Figure.Theme = .light
    ) throws -> Figure {
        guard (1...1_000).contains(count) else {
            throw VisualizationError(.invalidArgument, "1 to 1,000 changed pictures are shown, not \(count)")
        }
        let image = try FloatImage(
            height: picture.height, width: picture.width, channels: picture.channels, bytes: picture.pixels)
        var images: [any FigureData] = [picture]
        for epoch in 0..<count {
            let parameters = try parameters(
                for: 0, epoch: epoch, seed: seed, height: image.height, width: image.width)
            let changed = try applied(to: image, parameters)
            images.append(
                try Picture(
                    height: changed.height, width: changed.width, channels: changed.channels,
                    pixels: changed.bytes))
        }
        return try Figure.images(
            images, titles: ["as it is"] + images.dropFirst().map { _ in "" }, columns: columns,
            title: title, theme: theme)
    }
}
