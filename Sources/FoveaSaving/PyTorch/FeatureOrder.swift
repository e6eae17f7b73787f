import FoveaGraph
import FoveaLayers

/// In which order the numbers of a layer's output stand, compared to PyTorch's: there the channels come before height and width, and
/// so they do when these are flattened.
enum FeatureOrder: Hashable {
    /// The same, or images with their channels last, as everywhere in Fovea.
    case plain
    /// Images `[channels, height, width]`.
    case channelsFirst
    /// Images of this shape in a row, the channels last.
    case flattened([Int])
    /// It cannot be told behind the layer named.
    case unknown(String)

    /// The order behind a layer.
    ///
    /// - Parameters:
    ///   - name: the layer's path.
    ///   - inputs: the orders of what it reads, and the shapes of one example.
    ///   - output: the shape of what it gives for one example.
    static func behind(
        _ layer: any Layer, named name: String, inputs: [(order: FeatureOrder, shape: Shape)], output: Shape
    ) -> FeatureOrder {
        guard let first = inputs.first else { return .plain }
        guard inputs.count == 1 else {
            if inputs.allSatisfy({ $0.order == .plain }) { return .plain }
            let isSame = inputs.allSatisfy { $0.order == first.order && $0.shape == output }
            return isSame ? first.order : .unknown(name)
        }
        let example = first.shape.dimensions
        switch layer {
        case let flatten as Flatten:
            if flatten.dataFormat == .channelsFirst, example.count > 1 {
                return row(of: example.dropFirst() + [example[0]])
            }
            return first.order == .plain ? row(of: example) : first.order.withoutImages
        case is FoveaLayers.Reshape:
            if output.rank == 1 {
                return first.order == .plain ? row(of: example) : first.order.withoutImages
            }
            return output == first.shape ? first.order : .unknown(name)
        case let permute as Permute:
            return first.order == .plain && permute.dims == [3, 1, 2] ? .channelsFirst : .unknown(name)
        case is Dense: return .plain
        case let spatial as any SpatialLayer:
            return spatial.dataFormat == .channelsFirst && output.rank > 1 ? .channelsFirst : .plain
        default: return output == first.shape ? first.order : .unknown(name)
        }
    }

    private static func row(of images: [Int]) -> FeatureOrder {
        // Where there is one pixel or one channel, all orders are the same.
        images.count > 1 && images.dropLast().contains { $0 != 1 } && images.last != 1
            ? .flattened(images) : .plain
    }

    private var withoutImages: FeatureOrder { self == .channelsFirst ? .plain : self }
}
