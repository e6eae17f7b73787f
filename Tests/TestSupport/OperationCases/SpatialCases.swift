import FoveaGraph

extension OperationCases {
    static let products = matrices + denses

    private static let matrices: [OperationCase] = [false, true].flatMap { transposeA in
        [false, true].flatMap { transposeB in
            func product(
                _ name: String, _ m: Int, _ k: Int, _ n: Int, batch: [Int] = [], isShared: Bool = true,
                _ tolerance: ToleranceClass = .direct
            ) -> OperationCase {
                let a = Shape(batch + (transposeA ? [k, m] : [m, k]))
                let b = Shape((isShared ? [] : batch) + (transposeB ? [n, k] : [k, n]))
                return OperationCase(
                    "matmul \(transposeA ? "aᵀ" : "a") \(transposeB ? "bᵀ" : "b"), \(name)",
                    [batch.isEmpty ? .fixed(a) : .batch(a), isShared ? .fixed(b) : .batch(b)],
                    tolerance
                ) { x in [try .matmul(x[0], x[1], transposeA: transposeA, transposeB: transposeB)] }
            }
            return [
                product("3×5×4", 3, 5, 4), product("1×7×1", 1, 7, 1), product("17×1×33", 17, 1, 33),
                product("2×33×20", 2, 33, 20),
                product("17×40×33", 17, 40, 33, .faster),
                product("batched", 3, 5, 4, batch: [2], isShared: false),
                product("two batch axes", 3, 5, 4, batch: [2, 3], isShared: false),
                product("shared b", 3, 5, 4, batch: [2]),
                product("shared b, two batch axes", 3, 5, 4, batch: [2, 3]),
            ]
        }
    }

    private static let denses: [OperationCase] = [
        OperationCase("dense", [.batch([3, 20]), .fixed([20, 8]), .fixed([8])]) { x in
            [try (.matmul(x[0], x[1]) + x[2]).relu()]
        },
        OperationCase(
            "dense of tiles", [.batch([17, 24]), .fixed([24, 20]), .fixed([20])], .faster
        ) { x in
            [try .matmul(x[0], x[1]) + x[2]]
        },
        OperationCase("dense after flatten", [.batch([2, 3, 2, 20]), .fixed([120, 10]), .fixed([10])]) {
            x in
            [try .matmul(x[0].reshaped(to: [x[0].shape[0], 120]), x[1]) + x[2]]
        },
        OperationCase("matmul over the batch", [.batch([3, 4]), .batch([3, 5])]) { x in
            [try .matmul(x[0], x[1], transposeA: true)]
        },
        OperationCase("matmul of all pairs in the batch", [.batch([3, 4]), .batch([3, 4])]) { x in
            [try .matmul(x[0], x[1], transposeB: true).logSoftmax()]
        },
        OperationCase(
            "matmul of bfloat16", [.batch([3, 20]).of(.bfloat16), .fixed([20, 8]).of(.bfloat16)],
            .bfloat16
        ) { x in
            [try .matmul(x[0], x[1])]
        },
    ]

    /// A convolution with the images and kernel it is tried on.
    private struct Geometry {
        let name: String
        let images: Shape
        let kernel: Shape
        let convolution: Convolution

        init(_ name: String, _ images: Shape, _ kernel: Shape, _ convolution: Convolution = Convolution()) {
            self.name = name
            self.images = images
            self.kernel = kernel
            self.convolution = convolution
        }

        var tolerance: ToleranceClass {
            let isEligible = convolution.groups == 1 && kernel[2] >= 16 && kernel[3] >= 16
            return isEligible ? .faster : .direct
        }

        /// The shape of the result.
        var output: Shape {
            let window = convolution.window(kernel: kernel)
            func extent(_ size: Int, _ padding: Int, _ window: Int, _ stride: Int, _ dilation: Int) -> Int {
                (size + padding - (window - 1) * dilation - 1) / stride + 1
            }
            let (padding, strides, dilations) = (window.padding, window.strides, window.dilations)
            return [
                images[0],
                extent(images[1], padding.top + padding.bottom, kernel[0], strides.height, dilations.height),
                extent(images[2], padding.left + padding.right, kernel[1], strides.width, dilations.width),
                kernel[3],
            ]
        }
    }

    private static let geometries: [Geometry] = [
        Geometry("1 → 8 channels", [1, 5, 4, 1], [3, 3, 1, 8]),
        Geometry(
            "3 → 8 channels, padded", [2, 5, 7, 3], [3, 3, 3, 8],
            .init(padding: .init(top: 1, bottom: 1, left: 1, right: 1))),
        Geometry(
            "unequal strides, one-sided padding", [2, 7, 5, 3], [3, 2, 3, 4],
            .init(strides: [2, 1], padding: .init(top: 1, left: 2, right: 1))),
        Geometry("strides 2×3 that leave pixels over", [2, 6, 8, 8], [3, 3, 8, 3], .init(strides: [2, 3])),
        Geometry("strides larger than the window", [1, 7, 8, 3], [2, 1, 3, 4], .init(strides: [3, 4])),
        Geometry(
            "dilated", [1, 8, 9, 3], [2, 3, 3, 8],
            .init(dilations: [2, 3], padding: .init(top: 2, bottom: 1, right: 3))),
        Geometry("dilated with strides", [2, 9, 7, 1], [3, 3, 1, 3], .init(strides: 2, dilations: [3, 2])),
        Geometry(
            "2 groups", [2, 4, 5, 8], [3, 3, 4, 6], .init(padding: .init(bottom: 2, left: 1), groups: 2)),
        Geometry("4 groups of 8, strides 2", [1, 5, 5, 32], [3, 3, 8, 16], .init(strides: 2, groups: 4)),
        Geometry(
            "depthwise", [1, 6, 5, 16], [3, 3, 1, 16],
            .init(padding: .init(top: 1, bottom: 1, left: 1, right: 1), groups: 16)),
        Geometry(
            "depthwise of 3 channels, 2 filters each", [2, 5, 4, 3], [3, 2, 1, 6],
            .init(strides: [1, 2], groups: 3)),
        Geometry("depthwise of 20 channels", [1, 4, 4, 20], [2, 2, 1, 20], .init(groups: 20)),
        Geometry("1×1 window", [2, 3, 4, 20], [1, 1, 20, 8]),
        Geometry("1×1 window, strides 2", [2, 5, 4, 8], [1, 1, 8, 16], .init(strides: 2)),
        Geometry("window as large as the image", [2, 4, 5, 3], [4, 5, 3, 8]),
        Geometry(
            "5×5 window padded by 2", [1, 5, 6, 1], [5, 5, 1, 8],
            .init(padding: .init(top: 2, bottom: 2, left: 2, right: 2))),
        Geometry(
            "window larger than the image without padding", [1, 2, 3, 3], [4, 5, 3, 3],
            .init(padding: .init(top: 1, bottom: 2, left: 2, right: 1))),
        Geometry("one row", [3, 1, 17, 3], [1, 4, 3, 8]),
        Geometry(
            "16 → 16 channels", [1, 6, 6, 16], [3, 3, 16, 16],
            .init(padding: .init(top: 1, bottom: 1, left: 1, right: 1))),
        Geometry(
            "16 → 32 channels, one-sided padding", [2, 4, 5, 16], [3, 3, 16, 32],
            .init(padding: .init(bottom: 1, right: 1))),
        Geometry("32 → 16 channels", [1, 5, 7, 32], [3, 3, 32, 16]),
        Geometry(
            "48 → 32 channels, 5×2 window", [2, 6, 5, 48], [5, 2, 48, 32],
            .init(padding: .init(top: 4, bottom: 2, right: 1))),
        Geometry("16 → 48 channels, 1×1 window", [3, 3, 5, 16], [1, 1, 16, 48]),
        Geometry(
            "32 → 16 channels, strides 2, a batch that fills tiles", [16, 5, 4, 32], [3, 3, 32, 16],
            .init(strides: 2, padding: .init(bottom: 1, right: 1))),
        Geometry(
            "16 → 32 channels, dilated, unequal strides", [9, 4, 5, 16], [2, 2, 16, 32],
            .init(strides: [2, 1], dilations: [1, 2], padding: .init(top: 1, left: 1, right: 2))),
        Geometry(
            "32 → 32 channels, 1×1 window, strides 2", [11, 3, 4, 32], [1, 1, 32, 32], .init(strides: 2)),
        Geometry(
            "32 → 16 channels, small images side by side", [17, 2, 2, 32], [3, 3, 32, 16],
            .init(padding: .init(top: 1, bottom: 1, left: 1, right: 1))),
        Geometry(
            "20 → 20 channels", [2, 4, 3, 20], [3, 3, 20, 20],
            .init(padding: .init(top: 1, bottom: 1, left: 1, right: 1))),
    ]

    static let convolutions: [OperationCase] =
        convolutionsInContext
        + geometries.flatMap { geometry -> [OperationCase] in
            let convolution = geometry.convolution
            let images = CaseInput.batch(geometry.images, .uniform(-1, 1))
            let kernel = CaseInput.fixed(geometry.kernel, .uniform(-1, 1))
            let upstream = CaseInput.batch(geometry.output, .uniform(-1, 1))
            let inputSize = geometry.images.imageSize
            let kernelSize = Size2D(geometry.kernel[0], geometry.kernel[1])
            return [
                OperationCase("convolution, \(geometry.name)", [images, kernel], geometry.tolerance) { x in
                    [try x[0].convolved(with: x[1], convolution)]
                },
                OperationCase(
                    "convolutionInputGradient, \(geometry.name)", [kernel, upstream], geometry.tolerance
                ) { x in
                    [
                        try Tensor(
                            .convolutionInputGradient(.init(convolution: convolution, inputSize: inputSize)),
                            x)
                    ]
                },
                OperationCase(
                    "convolutionKernelGradient, \(geometry.name)", [images, upstream], geometry.tolerance
                ) { x in
                    [
                        try Tensor(
                            .convolutionKernelGradient(
                                .init(convolution: convolution, kernelSize: kernelSize)), x)
                    ]
                },
            ]
        }

    private static let convolutionsInContext: [OperationCase] = [
        OperationCase(
            "convolution of bfloat16",
            [.batch([2, 5, 4, 16]).of(.bfloat16), .fixed([3, 3, 16, 8]).of(.bfloat16)], .bfloat16
        ) { x in [try x[0].convolved(with: x[1])] },
        OperationCase(
            "convolution, bias and relu",
            [.batch([2, 5, 4, 3]), .fixed([3, 3, 3, 8]), .fixed([8], .listed([40, -40]))]
        ) { x in
            [try (x[0].convolved(with: x[1]) + x[2]).relu()]
        },
    ]

    private static let pools: [(name: String, images: Shape, window: SlidingWindow)] = [
        ("2×2", [2, 4, 6, 3], SlidingWindow(2, strides: 2)),
        ("2×2 that leaves pixels over", [1, 5, 7, 16], SlidingWindow(2, strides: 2)),
        (
            "3×3, strides 2, padding below and right", [1, 6, 4, 8],
            SlidingWindow(3, strides: 2, padding: .init(bottom: 1, right: 1))
        ),
        (
            "3×2, unequal strides, one-sided padding", [2, 5, 4, 1],
            SlidingWindow([3, 2], strides: [2, 1], padding: .init(top: 2, left: 1))
        ),
        (
            "overlapping 3×3", [1, 5, 4, 20],
            SlidingWindow(3, strides: 1, padding: .init(top: 1, bottom: 1, left: 1, right: 1))
        ),
        ("strides larger than the window", [2, 6, 7, 3], SlidingWindow([1, 2], strides: [3, 4])),
        ("the whole image", [2, 3, 5, 32], SlidingWindow([3, 5], strides: 1)),
    ]

    static let poolings: [OperationCase] = pools.flatMap { name, images, window in
        [
            OperationCase("maxPool, \(name)", [.batch(images, .distinct())]) { x in
                [try x[0].maxPooled(window)]
            },
            OperationCase(
                "maxPool with ties, \(name)", [.batch(images, .integers(-2 ... -1)).withoutGradient]
            ) { x in
                let pooled = try x[0].maxPooled(window)
                let upstream = try pooled * pooled + 0.5
                return [pooled, try Tensor(.maxPoolGradient(MaxPoolGradient(window)), [x[0], upstream])]
            },
            OperationCase("relu then maxPool, \(name)", [.batch(images, .distinct(offset: 0.0625))]) { x in
                [try x[0].relu().maxPooled(window).relu()]
            },
            average(name, images, AveragePool(window)),
            average("\(name), counting padding", images, AveragePool(window, countsPadding: true)),
            averageGradient(name, images, AveragePool(window)),
            averageGradient("\(name), counting padding", images, AveragePool(window, countsPadding: true)),
        ]
    }

    private static func average(_ name: String, _ images: Shape, _ pool: AveragePool) -> OperationCase {
        OperationCase("averagePool, \(name)", [.batch(images)]) { x in [try Tensor(.averagePool(pool), x)] }
    }

    private static func averageGradient(_ name: String, _ images: Shape, _ pool: AveragePool) -> OperationCase
    {
        OperationCase("averagePoolGradient, \(name)", [.batch(images)]) { x in
            // Pooling first gives the upstream gradient its shape.
            let upstream = try Tensor(.averagePool(pool), x).exp()
            let rule = AveragePoolGradient(pool, inputSize: images.imageSize)
            return [try Tensor(.averagePoolGradient(rule), [upstream])]
        }
    }
}
