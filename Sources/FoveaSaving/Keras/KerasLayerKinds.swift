import FoveaLayers

// Each kind of layer with its settings under Keras's keys, in the order of Keras's constructors. A key of Keras's that is not
// here is refused unless it is null.

private let any: [ConfigurationValue] = []

/// Initializer, regularizer and constraint of a parameter.
private func parameter(_ name: String, _ usual: Initializer) -> [KerasSetting] {
    [
        KerasSetting("\(name)_initializer", .initializer, usual: usual.configuration),
        KerasSetting("\(name)_regularizer", .regularizer, usual: .null),
        KerasSetting("\(name)_constraint", .constraint, usual: .null),
    ]
}

private func kernel(_ name: String = "kernel") -> [KerasSetting] {
    [
        KerasSetting("activation", .activation, usual: .null), KerasSetting("use_bias", usual: true),
        KerasSetting("activity_regularizer", .regularizer, usual: .null),
    ] + parameter(name, .glorotUniform) + parameter("bias", .zeros)
}

private let dataFormat = KerasSetting("data_format", .dataFormat, usual: .null)
private let filters = KerasSetting("filters")

private func window(_ axes: Int) -> [KerasSetting] {
    [
        KerasSetting("kernel_size", .size(axes: axes)),
        KerasSetting("strides", .size(axes: axes), usual: .integer(1)),
        KerasSetting("padding", usual: "valid"), dataFormat,
        KerasSetting("dilation_rate", .size(axes: axes), usual: .integer(1)),
    ]
}

/// What Keras 2 writes of layers that inherit it without meaning.
private let inherited: [String: [ConfigurationValue]] = [
    "groups": any, "kernel_initializer": any, "kernel_regularizer": any, "kernel_constraint": any,
]

let kernelKinds: [KerasLayerKind] =
    [KerasLayerKind("Dense", [KerasSetting("units")] + kernel())]
    + [1, 2].flatMap { axes in
        [
            KerasLayerKind(
                "Conv\(axes)D",
                [filters] + window(axes) + [KerasSetting("groups", usual: .integer(1))] + kernel()),
            KerasLayerKind(
                "Conv\(axes)DTranspose",
                [filters] + window(axes)
                    + [KerasSetting("output_padding", .optionalSize(axes: axes), usual: .null)] + kernel(),
                ignored: ["groups": [.integer(1)]]),
            KerasLayerKind(
                "DepthwiseConv\(axes)D",
                window(axes) + [KerasSetting("depth_multiplier", usual: .integer(1))] + kernel("depthwise"),
                ignored: inherited),
            KerasLayerKind(
                "SeparableConv\(axes)D",
                [filters] + window(axes) + [KerasSetting("depth_multiplier", usual: .integer(1))]
                    + kernel("pointwise") + parameter("depthwise", .glorotUniform), ignored: inherited),
        ]
    }

private let scale: [KerasSetting] =
    [KerasSetting("center", usual: true), KerasSetting("scale", usual: true)]
    + parameter("beta", .zeros) + parameter("gamma", .ones)

private func epsilon(_ usual: Double) -> KerasSetting { KerasSetting("epsilon", usual: .number(usual)) }
private let lastAxis: ConfigurationValue = .integer(-1)

let normalizationKinds: [KerasLayerKind] = [
    KerasLayerKind(
        "BatchNormalization",
        [
            KerasSetting("axis", .axis, usual: lastAxis), KerasSetting("momentum", usual: .number(0.99)),
            epsilon(1e-3),
            KerasSetting(
                "moving_mean_initializer", .initializer, usual: Initializer.zeros.configuration),
            KerasSetting(
                "moving_variance_initializer", .initializer, usual: Initializer.ones.configuration),
        ] + scale,
        ignored: [
            "synchronized": any, "renorm": [false], "renorm_clipping": any, "renorm_momentum": any,
            "fused": any, "virtual_batch_size": [.null], "adjustment": [.null],
        ]),
    KerasLayerKind(
        "LayerNormalization", [KerasSetting("axis", .axes, usual: lastAxis), epsilon(1e-3)] + scale,
        ignored: ["rms_scaling": [false]]),
    KerasLayerKind(
        "GroupNormalization",
        [
            KerasSetting("groups", usual: .integer(32)), KerasSetting("axis", .axis, usual: lastAxis),
            epsilon(1e-3),
        ] + scale),
    KerasLayerKind("UnitNormalization", [KerasSetting("axis", .axes, usual: lastAxis)]),
    KerasLayerKind("RMSNormalization", [KerasSetting("axis", .axes, usual: lastAxis), epsilon(1e-6)]),
    KerasLayerKind(
        "Normalization",
        [KerasSetting("axis", .axis, usual: lastAxis), KerasSetting("mean"), KerasSetting("variance")],
        ignored: ["invert": [false]]),
]

private func pooling(_ axes: Int) -> [KerasSetting] {
    [
        KerasSetting("pool_size", .size(axes: axes), usual: .integer(2)),
        KerasSetting("strides", .poolingStrides(axes: axes), usual: .null),
        KerasSetting("padding", usual: "valid"), dataFormat,
    ]
}

private let targetSize: [KerasSetting] = [KerasSetting("height"), KerasSetting("width"), dataFormat]

let spatialKinds: [KerasLayerKind] =
    [1, 2].flatMap { axes in
        ["Max", "Average"].flatMap { kind in
            [
                KerasLayerKind("\(kind)Pooling\(axes)D", pooling(axes)),
                KerasLayerKind(
                    "Adaptive\(kind)Pooling\(axes)D",
                    [KerasSetting("output_size", .size(axes: axes)), dataFormat]),
                KerasLayerKind(
                    "Global\(kind)Pooling\(axes)D", [dataFormat, KerasSetting("keepdims", usual: false)]),
            ]
        } + [
            KerasLayerKind(
                "ZeroPadding\(axes)D",
                [KerasSetting("padding", .border(axes: axes), usual: .integer(1)), dataFormat])
        ]
    } + [
        KerasLayerKind("Cropping1D", [KerasSetting("cropping", .border(axes: 1), usual: .integer(1))]),
        KerasLayerKind(
            "Cropping2D", [KerasSetting("cropping", .border(axes: 2), usual: .integer(0)), dataFormat]),
        KerasLayerKind(
            "UpSampling1D", [KerasSetting("size", .scalarSize, usual: .integer(2))],
            foveaOnly: ["interpolation": "nearest"]),
        KerasLayerKind(
            "UpSampling2D",
            [
                KerasSetting("size", .size(axes: 2), usual: .integer(2)), dataFormat,
                KerasSetting("interpolation", usual: "nearest"),
            ]),
        KerasLayerKind("CenterCrop", targetSize),
        KerasLayerKind(
            "Resizing",
            targetSize + [
                KerasSetting("interpolation", usual: "bilinear"),
                KerasSetting("crop_to_aspect_ratio", usual: false),
            ],
            ignored: [
                "pad_to_aspect_ratio": [false], "fill_mode": any, "fill_value": any, "antialias": [false],
            ]),
    ]

private let rate = KerasSetting("rate")
private let seed: [String: [ConfigurationValue]] = ["seed": any, "rng_type": any]

let elementKinds: [KerasLayerKind] = [
    KerasLayerKind("Activation", [KerasSetting("activation", .activation)]),
    KerasLayerKind("Softmax", [KerasSetting("axis", .axis, usual: lastAxis)]),
    KerasLayerKind(
        "ReLU",
        [
            KerasSetting("max_value", usual: .null), KerasSetting("negative_slope", usual: .number(0)),
            KerasSetting("threshold", usual: .number(0)),
        ]),
    KerasLayerKind(
        "LeakyReLU", [KerasSetting("negative_slope", earlier: ["alpha"], usual: .number(0.3))]),
    KerasLayerKind(
        "PReLU", [KerasSetting("shared_axes", .optionalList, usual: .null)] + parameter("alpha", .zeros)),
    KerasLayerKind("ELU", [KerasSetting("alpha", usual: .number(1))]),
    KerasLayerKind("Dropout", [rate], ignored: seed),
    KerasLayerKind("SpatialDropout1D", [rate], ignored: seed),
    KerasLayerKind("SpatialDropout2D", [rate, dataFormat], ignored: seed),
    KerasLayerKind("AlphaDropout", [rate], ignored: seed),
    KerasLayerKind("GaussianDropout", [rate], ignored: seed),
    KerasLayerKind("GaussianNoise", [KerasSetting("stddev")], ignored: seed),
    KerasLayerKind(
        "ActivityRegularization",
        [KerasSetting("l1", usual: .number(0)), KerasSetting("l2", usual: .number(0))]),
    KerasLayerKind("Rescaling", [KerasSetting("scale"), KerasSetting("offset", usual: .number(0))]),
    KerasLayerKind("Flatten", [dataFormat]),
    KerasLayerKind("Reshape", [KerasSetting("target_shape")]),
    KerasLayerKind("Permute", [KerasSetting("dims")]),
    KerasLayerKind("RepeatVector", [KerasSetting("n")]),
    KerasLayerKind("Identity"),
]

let mergingKinds: [KerasLayerKind] =
    ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"].map { KerasLayerKind($0) } + [
        KerasLayerKind("Concatenate", [KerasSetting("axis", usual: lastAxis)]),
        KerasLayerKind("Dot", [KerasSetting("axes", .pair), KerasSetting("normalize", usual: false)]),
    ]

private let resampling: [KerasSetting] = [
    KerasSetting("fill_mode", usual: "reflect"), KerasSetting("interpolation", usual: "bilinear"),
    KerasSetting("fill_value", usual: .number(0)), dataFormat,
]
private let valueRange = KerasSetting("value_range", usual: [.integer(0), .integer(255)])

let randomKinds: [KerasLayerKind] = [
    KerasLayerKind(
        "RandomFlip", [KerasSetting("mode", usual: "horizontal_and_vertical"), dataFormat], ignored: seed),
    KerasLayerKind("RandomRotation", [KerasSetting("factor", .factor)] + resampling, ignored: seed),
    KerasLayerKind(
        "RandomTranslation",
        [KerasSetting("height_factor", .factor), KerasSetting("width_factor", .factor)] + resampling,
        ignored: seed),
    KerasLayerKind(
        "RandomZoom",
        [
            KerasSetting("height_factor", .factor),
            KerasSetting("width_factor", .optionalFactor, usual: .null),
        ] + resampling, ignored: seed),
    KerasLayerKind(
        "RandomShear",
        [
            KerasSetting("x_factor", .factor, usual: .number(0)),
            KerasSetting("y_factor", .factor, usual: .number(0)),
        ] + resampling, ignored: seed),
    KerasLayerKind("RandomCrop", targetSize, ignored: seed),
    KerasLayerKind(
        "RandomContrast", [KerasSetting("factor", .pair), valueRange, dataFormat], ignored: seed),
    KerasLayerKind(
        "RandomBrightness", [KerasSetting("factor", .factor), valueRange, dataFormat], ignored: seed),
    KerasLayerKind(
        "RandomSaturation", [KerasSetting("factor", .factor), valueRange, dataFormat], ignored: seed),
    // A shift of hues is the same whatever the range, but Keras must be told Fovea's.
    KerasLayerKind(
        "RandomHue", [KerasSetting("factor", .factor), dataFormat],
        ignored: seed.merging(["value_range": any]) { $1 },
        constants: ["value_range": [.integer(0), .integer(1)]]),
    KerasLayerKind(
        "RandomErasing",
        [
            KerasSetting("factor", .factor, usual: .number(1)),
            KerasSetting("scale", .pair, usual: [.number(0.02), .number(0.33)]),
            KerasSetting("fill_value", usual: .null), valueRange, dataFormat,
        ], ignored: seed),
]
