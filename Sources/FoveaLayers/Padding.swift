import FoveaGraph

/// What is done at the border of an image under a moving window.
public enum Padding: String, Hashable, Sendable, CaseIterable {
    /// Nothing: the window stays inside, `floor((size - window) / stride) + 1` outputs.
    case valid
    /// The border is widened to give `ceil(size / stride)` outputs, the odd row or column at the end.
    case same
}

/// The arguments that convolution and pooling layers share.
struct WindowArguments: Hashable, Sendable {
    let window: Size2D
    let strides: Size2D
    var dilations: Size2D = 1
    let padding: Padding

    /// More than any image needs, and small enough that no arithmetic with it overflows.
    private static let limit = 65_536

    /// The window's path over images of the given shape.
    ///
    /// - Parameters:
    ///   - images: `[batch, height, width, channels]`.
    ///   - layer: the kind of layer that asks, for the error.
    ///   - name: what the layer calls its window.
    /// - Throws: `ShapeError` for sizes out of range, for something other than images, and when not even one
    ///   window fits.
    func path(over images: Shape, layer: String, name: String) throws(ShapeError) -> SlidingWindow {
        for (argument, size) in [(name, window), ("strides", strides), ("dilationRate", dilations)] {
            guard (1...Self.limit).contains(size.height), (1...Self.limit).contains(size.width) else {
                throw ShapeError(
                    layer, "\(argument) must be from 1 to \(Self.limit) in both directions, not \(size)",
                    shapes: [images])
            }
        }
        guard images.rank == 4, images.dimensions.dropFirst().allSatisfy({ $0 > 0 }) else {
            throw ShapeError(
                layer,
                "it works on images [batch, height, width, channels]; put it before Flatten, or add Reshape",
                shapes: [images])
        }
        let border =
            padding == .valid
            ? .none
            : Padding2D.same(input: images.imageSize, window: window, strides: strides, dilations: dilations)
        let path = SlidingWindow(window, strides: strides, dilations: dilations, padding: border)
        _ = try path.outputSize(of: images.imageSize, layer, [images])
        return path
    }
}
