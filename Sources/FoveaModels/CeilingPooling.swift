import FoveaGraph
import FoveaLayers

/// Max-pooling 3×3 with stride 2 whose last window may hang over the end, `ceil((size - 3) / 2) + 1` outputs: PyTorch's `ceil_mode`.
/// It is `.same` for even extents and `.valid` for odd ones.
///
/// - Parameters:
///   - x: images without negative numbers, as ReLU gives them.
///   - extents: those of the images; afterwards those of the result.
func ceilingPooled(_ x: LayerOutput, _ extents: inout Size2D, name: String) -> LayerOutput {
    let (bottom, right) = (1 - extents.height % 2, 1 - extents.width % 2)
    extents = [extents.height / 2, extents.width / 2]
    let pool = { MaxPooling2D(poolSize: 3, strides: 2, padding: $0, name: name) }
    guard bottom != right else { return pool(bottom == 1 ? .same : .valid)(x) }
    // Zeros win over nothing that is not negative.
    return pool(.valid)(ZeroPadding2D(padding: ((0, bottom), (0, right)), name: "\(name)_pad")(x))
}
