import FoveaGraph

/// Small cases of every operation, over shapes in which mistakes show: one example and several, odd and unequal
/// extents, unequal strides, one-sided padding.
public enum OperationCases {
    public static let all: [OperationCase] = [
        sources, elementwise, casts, reductions, movement, indexing, products, convolutions, poolings,
        softmaxes, normalizations, batchNorms, random, attachments,
    ].flatMap { $0 }
}

extension OperationCases {
    /// Sources other than inputs, each in an expression.
    static let sources: [OperationCase] = [
        OperationCase("constant", [.batch([3, 4])]) { x in
            let table = try TensorValue(shape: [3, 1], [1.5, -2, 0.25]).reshaped(to: [3])
            return [try x[0].sliced(starts: [0, 1], extents: [x[0].shape[0], 3]) * .constant(table)]
        },
        OperationCase("variable", [.batch([2, 3])]) { x in
            [try x[0] * Tensor(Variable(name: "scale", initial: TensorValue([2, -1, 0.5])))]
        },
        OperationCase("isTraining as a condition", [.batch([2, 5])]) { x in
            [try .select(.isTraining, x[0] * 2, x[0] + 1)]
        },
        OperationCase("mean over the batch", [.batch([3, 4])]) { x in [try x[0].mean(axes: [0])] },
        OperationCase("mean over the batch and an axis", [.batch([3, 4, 2])]) { x in
            [try x[0].mean(axes: [0, 1], keepDims: true)]
        },
    ]

    static let attachments: [OperationCase] = [
        OperationCase("a tensor with a loss and an update attached", [.batch([3, 4])]) { x in
            let variable = Variable(name: "largest", initial: TensorValue(2))
            let attached = try (x[0] * 3).adding(loss: x[0].sum()).updating(variable, to: x[0].max())
            return [try attached * 2, addedLosses(of: [attached])[0]]
        }
    ]

    static let softmaxes: [OperationCase] = [false, true].flatMap { isLogarithmic in
        let name = isLogarithmic ? "logSoftmax" : "softmax"
        func along(_ axis: Int, _ suffix: String, _ input: CaseInput) -> OperationCase {
            OperationCase("\(name) \(suffix)", [input]) { x in
                [try isLogarithmic ? x[0].logSoftmax(axis: axis) : x[0].softmax(axis: axis)]
            }
        }
        let large = CaseInput.batch([2, 6], .listed([900, -900, 899.5, 0, 898, 900])).withoutGradient
        return [
            along(0, "along axis 0", .batch([3, 4, 5])), along(1, "along axis 1", .batch([3, 4, 5])),
            along(2, "along axis 2", .batch([3, 4, 5])),
            along(-1, "of 10 classes", .batch([4, 10], .uniform(-6, 6))),
            along(-1, "of one class", .batch([3, 1])),
            along(-1, "of 33 classes, one example", .batch([1, 33])),
            along(-1, "of large numbers", large),
        ]
    }

    /// Batch normalisation over all axes but the last, alone and between convolutions, whose images it then meets in blocks
    /// of channels.
    static let normalizations: [OperationCase] = {
        @Sendable func normalized(_ x: Tensor, _ scale: Tensor, _ shift: Tensor) throws -> Tensor {
            let (mean, variance) = try x.moments(axes: [0, 1, 2])
            return try (x - mean) * (scale * (variance + 0.1).unary(.rsqrt)) + shift
        }
        let shapes: [Shape] = [
            [3, 5, 4, 3], [1, 7, 9, 5], [4, 3, 6, 17], [2, 5, 7, 16], [1, 9, 4, 48], [2, 20, 17, 20],
        ]
        let alone = shapes.map { shape -> OperationCase in
            let vector = CaseInput.fixed([shape.channels], .uniform(0.5, 1.5))
            return OperationCase("normalisation of \(shape)", [.batch(shape), vector, vector]) { x in
                [try normalized(x[0], x[1], x[2]).tanh()]
            }
        }
        let between = shapes.map { shape -> OperationCase in
            let channels = shape.channels
            let vector = CaseInput.fixed([channels], .uniform(0.5, 1.5))
            return OperationCase(
                "normalisation and shortcut between convolutions of \(shape)",
                [
                    .batch(shape), .fixed([3, 3, channels, channels]), vector, vector,
                    .fixed([1, 1, channels, 20], .uniform(-0.5, 0.5)),
                ], .faster
            ) { x in
                let padding = Padding2D(top: 1, bottom: 1, left: 1, right: 1)
                let y = try normalized(
                    x[0].convolved(with: x[1], Convolution(padding: padding)), x[2], x[3])
                let z = try (y + x[0]).tanh().convolved(with: x[4], Convolution(strides: 2))
                return [try z.mean(axes: [1, 2])]
            }
        }
        return alone + between
    }()

    /// The operation of its own, along any axis, rectified and its gradients.
    static let batchNorms: [OperationCase] = {
        let shapes: [(Shape, axis: Int)] = [
            ([3, 5, 4, 3], 3), ([1, 7, 9, 5], 1), ([4, 3, 2, 17], 3), ([2, 5, 3, 16], 3), ([7, 16], 1),
            ([3, 5, 32], 2), ([3, 4, 5], 1), ([2, 3, 4, 48], 3), ([1, 1, 1, 16], 3),
        ]
        func vector(_ shape: Shape, _ axis: Int) -> CaseInput { .fixed([shape[axis]], .uniform(0.5, 1.5)) }
        let plain = shapes.map { shape, axis in
            let vector = vector(shape, axis)
            return OperationCase("batchNorm of \(shape) along axis \(axis)", [.batch(shape), vector, vector])
            { x in
                let result = try x[0].batchNormalized(scale: x[1], offset: x[2], axis: axis, epsilon: 0.1)
                return [result.normalized, result.mean, result.variance]
            }
        }
        // Far from where ReLU has no derivative.
        let rectified = [[3, 5, 4, 3], [4, 3, 4, 16], [5, 3, 4, 32]].map { (shape: Shape) in
            let offset = CaseInput.fixed([shape.channels], .uniform(-0.1, 0.1))
            return OperationCase(
                "rectified batchNorm of \(shape)", [.batch(shape, .signed(1, 1.5)), vector(shape, 3), offset]
            ) { x in
                [try x[0].batchNormalized(scale: x[1], offset: x[2], epsilon: 0.1).normalized.relu()]
            }
        }
        let gradients = BatchNormGradient.Result.allCases.flatMap { result in
            [false, true].map { isRectified in
                let shape: Shape = [3, 4, 3, 16]
                let forward = BatchNorm(.normalized, axis: 3, epsilon: 0.1, isRectified: isRectified)
                return OperationCase(
                    "\(isRectified ? "rectified " : "")batchNorm's gradient of \(result)",
                    [
                        .batch(shape, .signed(1, 1.5)), vector(shape, 3),
                        .fixed([16], .uniform(-0.1, 0.1)), .batch(shape),
                    ]
                ) { x in
                    [try Tensor(.batchNormGradient(BatchNormGradient(result, of: forward)), x)]
                }
            }
        }
        return plain + rectified + gradients
    }()

    static let random: [OperationCase] = [
        OperationCase("randomUniform", [.batch([3, 7])]) { x in [try x[0] * .randomUniform(x[0].shape)] },
        OperationCase("randomNormal", [.batch([3, 7])]) { x in [try x[0] * .randomNormal(x[0].shape)] },
        OperationCase("randomUniform without inputs", []) { _ in
            [.randomUniform([5]), .randomUniform([2, 3])]
        },
        OperationCase("randomNormal without inputs", []) { _ in [.randomNormal([9]), .randomNormal([1])] },
        OperationCase("one stream read twice", [.batch([2, 5])]) { x in
            let stream = RandomStream()
            let noise = [x[0].shape, [2]].map { Tensor.randomUniform($0, stream: stream) }
            return [try x[0] + noise[0], noise[1]]
        },
        OperationCase("dropout", [.batch([3, 35])]) { x in
            let isKept = try Tensor.randomUniform(x[0].shape).greaterOrEqual(0.25)
            return [try .select(isKept, x[0] / 0.75, .filled(0, x[0].shape))]
        },
    ]
}
