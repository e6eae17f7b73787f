import FoveaGraph
import FoveaLayers

extension Design {
    /// Tan and Le 2019, table 1, as changed for mobile devices: ReLU6, no squeeze and excitation, and the first and last layers
    /// the same in all sizes.
    ///
    /// - Parameters:
    ///   - width: the multiplier of the numbers of filters.
    ///   - depth: that of the numbers of blocks.
    ///   - dropoutRate: the part of the features that is dropped before the classes.
    func efficientNetLite(width: Double, depth: Double, dropoutRate rate: Double) throws(ShapeError) -> Model
    {
        let block = InvertedResidual(
            names: InvertedResidual.Names(
                expand: ("expand_conv", "expand_bn", "expand_activation"),
                depthwise: ("dwconv", "bn", "activation"), project: ("project_conv", "project_bn")),
            momentum: 0.99, epsilon: 1e-3)
        return try model { images in
            var x = block.stem(
                images, 32, convolution: "stem_conv", normalization: "stem_bn", relu: "stem_activation")
            var filtersIn = 32
            for place in efficientNetLiteBlocks(depth: depth) {
                let stage = efficientNetStages[place.stage - 1]
                let filters = multipleOf8(near: Double(stage.filters) * width)
                x = block(
                    x, place.name, filtersIn: filtersIn, filters: filters, size: stage.size,
                    strides: place.index == 0 ? stage.strides : 1, expansion: place.stage == 1 ? 1 : 6)
                filtersIn = filters
            }
            return block.head(
                x, 1280, convolution: "top_conv", normalization: "top_bn", relu: "top_activation")
        } top: {
            [Design.classified($0, $1, dropout: dropoutRate ?? rate)]
        }
    }
}

/// Table 1, stages 2 to 8.
private let efficientNetStages: [(count: Int, size: Int, strides: Int, filters: Int)] = [
    (1, 3, 1, 16), (2, 3, 2, 24), (2, 5, 2, 40), (3, 3, 2, 80), (3, 5, 1, 112), (4, 5, 2, 192),
    (1, 3, 1, 320),
]

/// The blocks of a network in their order, named as Keras names those of EfficientNet: `block2a`, `block2b` and so on.
///
/// - Parameter depth: the multiplier of the numbers of blocks.
func efficientNetLiteBlocks(depth: Double) -> [(name: String, stage: Int, index: Int)] {
    zip(1..., efficientNetStages).flatMap { number, stage in
        let isFixed = number == 1 || number == efficientNetStages.count
        let count = isFixed ? stage.count : Int((Double(stage.count) * depth).rounded(.up))
        return zip(0..<count, "abcdefghij").map { ("block\(number)\($1)", number, $0) }
    }
}

/// The nearest multiple of 8 that is not below nine tenths of `filters`.
private func multipleOf8(near filters: Double) -> Int {
    let nearest = max(8, Int((filters + 4) / 8) * 8)
    return Double(nearest) < 0.9 * filters ? nearest + 8 : nearest
}
