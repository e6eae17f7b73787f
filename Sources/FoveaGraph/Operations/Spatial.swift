/// A height and a width. One integer means both: `kernelSize: 3` is `[3, 3]`.
public struct Size2D: Hashable, Sendable, Codable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
    CustomStringConvertible
{
    public var height: Int
    public var width: Int

    public init(_ height: Int, _ width: Int) {
        self.height = height
        self.width = width
    }

    public init(integerLiteral value: Int) { self.init(value, value) }

    /// `[height, width]`, or one number for both.
    public init(arrayLiteral elements: Int...) {
        precondition((1...2).contains(elements.count), "a size is written [height, width]")
        self.init(elements[0], elements[elements.count - 1])
    }

    public var isPositive: Bool { height > 0 && width > 0 }
    public var description: String { "\(height)×\(width)" }
}

/// Rows and columns added around an image.
public struct Padding2D: Hashable, Sendable, Codable {
    public var top: Int
    public var bottom: Int
    public var left: Int
    public var right: Int

    public init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) {
        self.top = top
        self.bottom = bottom
        self.left = left
        self.right = right
    }

    public static let none = Padding2D()

    /// What keeps `ceil(size / stride)` outputs, the odd row or column at the end as in TensorFlow. None where a
    /// number is not positive; the operation that it is given to says so.
    public static func same(
        input: Size2D, window: Size2D, strides: Size2D, dilations: Size2D = 1
    ) -> Padding2D {
        func total(_ size: Int, _ window: Int, _ stride: Int, _ dilation: Int) -> Int {
            guard min(size, window, stride, dilation) > 0 else { return 0 }
            // The last window starts at the last multiple of the stride that lies inside the image.
            let lastStart = (size - 1) / stride * stride
            return max(0, (window - 1).clampedProduct(dilation).clampedSum(lastStart + 1 - size))
        }
        let rows = total(input.height, window.height, strides.height, dilations.height)
        let columns = total(input.width, window.width, strides.width, dilations.width)
        return Padding2D(
            top: rows / 2, bottom: rows - rows / 2, left: columns / 2, right: columns - columns / 2)
    }

    var isNegative: Bool { min(top, bottom, left, right) < 0 }
}

/// The geometry that convolution and pooling share: a window that moves over a padded image.
public struct SlidingWindow: Hashable, Sendable {
    public var window: Size2D
    public var strides: Size2D
    public var dilations: Size2D
    public var padding: Padding2D

    public init(_ window: Size2D, strides: Size2D, dilations: Size2D = 1, padding: Padding2D = .none) {
        self.window = window
        self.strides = strides
        self.dilations = dilations
        self.padding = padding
    }

    /// `floor((size + padding - dilation·(window - 1) - 1) / stride) + 1` in each direction.
    public func outputSize(of input: Size2D, _ name: String, _ shapes: [Shape]) throws(ShapeError) -> Size2D {
        guard window.isPositive, strides.isPositive, dilations.isPositive, !padding.isNegative else {
            throw ShapeError(
                name,
                "window \(window), strides \(strides) and dilations \(dilations) must be positive and padding "
                    + "must not be negative", shapes: shapes)
        }
        func outputs(_ size: Int, _ padding: Int, _ window: Int, _ stride: Int, _ dilation: Int) -> Int? {
            let room = size.clampedSum(padding) - 1 - (window - 1).clampedProduct(dilation)
            return room < 0 ? nil : room / stride + 1
        }
        guard
            let height = outputs(
                input.height, padding.top.clampedSum(padding.bottom), window.height, strides.height,
                dilations.height),
            let width = outputs(
                input.width, padding.left.clampedSum(padding.right), window.width, strides.width,
                dilations.width)
        else {
            throw ShapeError(
                name,
                "a window of \(window)\(dilations == 1 ? "" : " (dilations \(dilations))") is larger than the "
                    + "\(input) image with its padding; use a smaller window, padding .same or a larger image",
                shapes: shapes)
        }
        return Size2D(height, width)
    }

    /// Calls `body` with the offset inside the window and the input pixel under it, leaving out padding.
    func forEachPixel(
        under output: Size2D, in input: Size2D, _ body: (_ offset: Size2D, _ pixel: Size2D) -> Void
    ) {
        for row in 0..<window.height {
            let y = output.height * strides.height - padding.top + row * dilations.height
            guard (0..<input.height).contains(y) else { continue }
            for column in 0..<window.width {
                let x = output.width * strides.width - padding.left + column * dilations.width
                guard (0..<input.width).contains(x) else { continue }
                body(Size2D(row, column), Size2D(y, x))
            }
        }
    }
}

extension Shape {
    /// The height and width of `[batch, height, width, channels]`.
    public var imageSize: Size2D { Size2D(dimensions[1], dimensions[2]) }
}

extension OperationRule {
    /// Checks that an input is a batch of images with fixed height, width and channels.
    func checkImages(_ type: TensorType, _ inputs: [TensorType]) throws(ShapeError) {
        guard type.shape.rank == 4, type.shape.dimensions.dropFirst().allSatisfy({ $0 > 0 }) else {
            throw error("needs images of shape [batch, height, width, channels]", inputs)
        }
        guard type.dtype.isFloatingPoint else {
            throw error("needs floating-point images, not \(type.dtype.rawValue); cast first", inputs)
        }
    }
}
