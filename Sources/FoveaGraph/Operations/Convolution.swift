/// 2-D convolution in the sense of neural networks (the kernel is not flipped):
/// `y[n, i, j, o] = Σ_{r, s, c} x[n, i·stride + r·dilation - padding, …, c] · k[r, s, c, o]`.
///
/// Inputs: images `[batch, height, width, channels]` and a kernel `[height, width, channels / groups, filters]`. With
/// groups, filter group `g` sees channel group `g` only.
public struct Convolution: OperationRule {
    public var strides: Size2D
    public var dilations: Size2D
    public var padding: Padding2D
    public var groups: Int

    public init(strides: Size2D = 1, dilations: Size2D = 1, padding: Padding2D = .none, groups: Int = 1) {
        self.strides = strides
        self.dilations = dilations
        self.padding = padding
        self.groups = groups
    }

    public var name: String { "convolution" }

    public func window(kernel: Shape) -> SlidingWindow {
        SlidingWindow(Size2D(kernel[0], kernel[1]), strides: strides, dilations: dilations, padding: padding)
    }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(2, inputs)
        let (images, kernel) = (inputs[0], inputs[1])
        try checkImages(images, inputs)
        guard kernel.shape.rank == 4, kernel.shape.dimensions.allSatisfy({ $0 > 0 }),
            kernel.dtype == images.dtype
        else {
            throw error(
                "needs a kernel [height, width, channels / groups, filters] of the images' type", inputs)
        }
        guard groups > 0, images.shape[3] == kernel.shape[2].clampedProduct(groups),
            kernel.shape[3] % groups == 0
        else {
            throw error(
                "\(groups) group(s) of \(kernel.shape[2]) channels do not match \(images.shape[3]) input channels, or "
                    + "do not divide \(kernel.shape[3]) filters", inputs)
        }
        let size = try window(kernel: kernel.shape).outputSize(
            of: images.shape.imageSize, name, inputs.map(\.shape))
        return TensorType([images.shape[0], size.height, size.width, kernel.shape[3]], images.dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream g: Tensor) throws -> [Tensor?] {
        let (x, kernel) = (inputs[0], inputs[1])
        return [
            try inputGradient(kernel: kernel, upstream: g, of: x.shape.imageSize),
            try kernelGradient(images: x, upstream: g, of: kernel.shape),
        ]
    }

    func inputGradient(kernel: Tensor, upstream: Tensor, of size: Size2D) throws -> Tensor {
        try Tensor(.convolutionInputGradient(.init(convolution: self, inputSize: size)), [kernel, upstream])
    }

    func kernelGradient(images: Tensor, upstream: Tensor, of kernel: Shape) throws -> Tensor {
        let size = Size2D(kernel[0], kernel[1])
        return try Tensor(
            .convolutionKernelGradient(.init(convolution: self, kernelSize: size)), [images, upstream])
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let (x, k) = (inputs[0].doubles, inputs[1].doubles)
        var y = [Double](repeating: 0, count: type.shape.elementCount)
        forEachProduct(images: inputs[0].shape, kernel: inputs[1].shape, output: type.shape) { xi, ki, yi in
            y[yi] += x[xi] * k[ki]
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: y)
    }

    /// Every product of the defining sum, by element positions in images, kernel and output: the convolution and both
    /// of its gradients are sums over these.
    func forEachProduct(images: Shape, kernel: Shape, output: Shape, _ body: (Int, Int, Int) -> Void) {
        let window = window(kernel: kernel)
        let (channels, filters) = (kernel[2], kernel[3])
        let filtersPerGroup = filters / groups
        for n in 0..<output[0] {
            for i in 0..<output[1] {
                for j in 0..<output[2] {
                    window.forEachPixel(under: Size2D(i, j), in: images.imageSize) { offset, pixel in
                        let imageStart =
                            ((n * images[1] + pixel.height) * images[2] + pixel.width) * images[3]
                        let kernelStart = (offset.height * kernel[1] + offset.width) * channels * filters
                        let outputStart = ((n * output[1] + i) * output[2] + j) * filters
                        for filter in 0..<filters {
                            let group = filter / filtersPerGroup
                            for channel in 0..<channels {
                                body(
                                    imageStart + group * channels + channel,
                                    kernelStart + channel * filters + filter,
                                    outputStart + filter)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The gradient of a convolution with respect to its images; also the transposed convolution. Inputs: kernel and
/// upstream gradient.
public struct ConvolutionInputGradient: OperationRule {
    public let convolution: Convolution
    /// Height and width of the images.
    public let inputSize: Size2D

    public init(convolution: Convolution, inputSize: Size2D) {
        self.convolution = convolution
        self.inputSize = inputSize
    }

    public var name: String { "convolutionInputGradient" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(2, inputs)
        let (kernel, upstream) = (inputs[0], inputs[1])
        try checkImages(upstream, inputs)
        guard kernel.shape.rank == 4 else { throw error("needs a kernel of rank 4", inputs) }
        let images = TensorType(
            [
                upstream.shape[0], inputSize.height, inputSize.width,
                kernel.shape[2].clampedProduct(convolution.groups),
            ],
            upstream.dtype)
        guard try convolution.infer([images, kernel]) == upstream else {
            throw error("the upstream gradient is not shaped like the output of \(inputSize) images", inputs)
        }
        return images
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream v: Tensor) throws -> [Tensor?] {
        let (kernel, u) = (inputs[0], inputs[1])
        return [
            try convolution.kernelGradient(images: v, upstream: u, of: kernel.shape),
            try Tensor(.convolution(convolution), [v, kernel]),
        ]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let (k, g) = (inputs[0].doubles, inputs[1].doubles)
        var x = [Double](repeating: 0, count: type.shape.elementCount)
        convolution.forEachProduct(images: type.shape, kernel: inputs[0].shape, output: inputs[1].shape) {
            xi, ki, yi in x[xi] += k[ki] * g[yi]
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: x)
    }
}

/// The gradient of a convolution with respect to its kernel. Inputs: images and upstream gradient.
public struct ConvolutionKernelGradient: OperationRule {
    public let convolution: Convolution
    public let kernelSize: Size2D

    public init(convolution: Convolution, kernelSize: Size2D) {
        self.convolution = convolution
        self.kernelSize = kernelSize
    }

    public var name: String { "convolutionKernelGradient" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(2, inputs)
        let (images, upstream) = (inputs[0], inputs[1])
        try checkImages(images, inputs)
        try checkImages(upstream, inputs)
        guard convolution.groups > 0, images.shape[3] % convolution.groups == 0 else {
            throw error("\(convolution.groups) groups do not divide the channels", inputs)
        }
        let kernel = TensorType(
            [
                kernelSize.height, kernelSize.width, images.shape[3] / convolution.groups, upstream.shape[3],
            ], images.dtype)
        guard try convolution.infer([images, kernel]) == upstream else {
            throw error(
                "the upstream gradient is not shaped like the output of a \(kernelSize) kernel", inputs)
        }
        return kernel
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream w: Tensor) throws -> [Tensor?] {
        let (x, u) = (inputs[0], inputs[1])
        return [
            try convolution.inputGradient(kernel: w, upstream: u, of: x.shape.imageSize),
            try Tensor(.convolution(convolution), [x, w]),
        ]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let (x, g) = (inputs[0].doubles, inputs[1].doubles)
        var k = [Double](repeating: 0, count: type.shape.elementCount)
        convolution.forEachProduct(images: inputs[0].shape, kernel: type.shape, output: inputs[1].shape) {
            xi, ki, yi in k[ki] += x[xi] * g[yi]
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: k)
    }
}

extension Tensor {
    /// 2-D convolution of images `[batch, height, width, channels]` with a kernel
    /// `[height, width, channels / groups, filters]`.
    public func convolved(with kernel: Tensor, _ convolution: Convolution = Convolution()) throws(ShapeError)
        -> Tensor
    {
        try Tensor(.convolution(convolution), [self, kernel])
    }
}
