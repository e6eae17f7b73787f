import FoveaGraph
import FoveaLayers

extension Design {
    /// Sandler et al. 2018, table 2. With Keras's names; padding, batch normalization and dropout are those of `origin`.
    func mobileNetV2(_ origin: Origin) throws(ShapeError) -> Model {
        let names = InvertedResidual.Names(
            expand: ("expand", "expand_BN", "expand_relu"),
            depthwise: ("depthwise", "depthwise_BN", "depthwise_relu"), project: ("project", "project_BN"))
        let block =
            switch origin {
            case .keras: InvertedResidual(names: names, momentum: 0.999, epsilon: 1e-3)
            case .torchvision:
                InvertedResidual(names: names, isPaddedEvenly: true, momentum: 0.9, epsilon: 1e-5)
            }
        return try model { images in
            var x = block.stem(
                images, 32, convolution: "Conv1", normalization: "bn_Conv1", relu: "Conv1_relu")
            var (number, filtersIn) = (0, 32)
            for stage in mobileNetStages {
                for index in 0..<stage.count {
                    x = block(
                        x, number == 0 ? "expanded_conv" : "block_\(number)", filtersIn: filtersIn,
                        filters: stage.filters, size: 3, strides: index == 0 ? stage.strides : 1,
                        expansion: number == 0 ? 1 : 6)
                    filtersIn = stage.filters
                    number += 1
                }
            }
            return block.head(
                x, 1280, convolution: "Conv_1", normalization: "Conv_1_bn", relu: "out_relu")
        } top: {
            [Design.classified($0, $1, dropout: origin == .torchvision ? dropoutRate ?? 0.2 : nil)]
        }
    }
}

/// Table 2, the rows of bottlenecks.
private let mobileNetStages: [(filters: Int, count: Int, strides: Int)] = [
    (16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1),
]
