// Names of the networks for mobile devices and of those made of branches in files of PyTorch.

extension WeightMapping {
    static let torchMobileNetV2: WeightMapping = [
        "features.0.0": "Conv1", "features.0.1": "bn_Conv1",
        // The first block does not widen.
        "features.1.conv.0.0": "expanded_conv_depthwise", "features.1.conv.0.1": "expanded_conv_depthwise_BN",
        "features.1.conv.1": "expanded_conv_project", "features.1.conv.2": "expanded_conv_project_BN",
        "features.18.0": "Conv_1", "features.18.1": "Conv_1_bn",
        "features.{b+1}.conv.0.0": "block_{b}_expand", "features.{b+1}.conv.0.1": "block_{b}_expand_BN",
        "features.{b+1}.conv.1.0": "block_{b}_depthwise", "features.{b+1}.conv.1.1": "block_{b}_depthwise_BN",
        "features.{b+1}.conv.2": "block_{b}_project", "features.{b+1}.conv.3": "block_{b}_project_BN",
        "classifier.1": "predictions",
    ]

    static let torchSqueezeNet = WeightMapping(
        [("features.0", "conv1"), ("classifier.1", "conv10")]
            // Poolings are numbered, too.
            + zip([3, 4, 6, 7, 9, 10, 11, 12], 2...).flatMap { place, number in
                [("squeeze", "squeeze1x1"), ("expand1x1", "expand1x1"), ("expand3x3", "expand3x3")].map {
                    ("features.\(place).\($0)", "fire\(number)_\($1)")
                }
            })

    static let torchDenseNet: WeightMapping = [
        "features.conv0": "conv1_conv", "features.norm0": "conv1_bn",
        "features.denseblock{b}.denselayer{n}.norm1": "conv{b+1}_block{n}_0_bn",
        "features.denseblock{b}.denselayer{n}.conv1": "conv{b+1}_block{n}_1_conv",
        "features.denseblock{b}.denselayer{n}.norm2": "conv{b+1}_block{n}_1_bn",
        "features.denseblock{b}.denselayer{n}.conv2": "conv{b+1}_block{n}_2_conv",
        // Older files have these dots.
        "features.denseblock{b}.denselayer{n}.norm.1": "conv{b+1}_block{n}_0_bn",
        "features.denseblock{b}.denselayer{n}.conv.1": "conv{b+1}_block{n}_1_conv",
        "features.denseblock{b}.denselayer{n}.norm.2": "conv{b+1}_block{n}_1_bn",
        "features.denseblock{b}.denselayer{n}.conv.2": "conv{b+1}_block{n}_2_conv",
        "features.transition{t}.norm": "pool{t+1}_bn", "features.transition{t}.conv": "pool{t+1}_conv",
        "features.norm5": "bn", "classifier": "predictions",
    ]

    /// Auxiliary classifiers, which files may have, go to layers that the network has not.
    static let torchGoogLeNet = WeightMapping(
        [
            ("conv{n}.{part...}", "conv{n}_{part...}"), ("aux{n}.{part...}", "aux{n}_{part...}"),
            ("fc", "predictions"),
        ]
            + ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"].flatMap { module in
                [
                    ("inception\(module).branch1.{part...}", "inception_\(module)_branch1_{part...}"),
                    // The first of the fourth branch is a pooling.
                    ("inception\(module).branch4.1.{part...}", "inception_\(module)_branch4_{part...}"),
                    (
                        "inception\(module).branch2.{n}.{part...}",
                        "inception_\(module)_branch2_{n+1}_{part...}"
                    ),
                    (
                        "inception\(module).branch3.{n}.{part...}",
                        "inception_\(module)_branch3_{n+1}_{part...}"
                    ),
                ]
            })

    /// The names of the package efficientnet-lite-pytorch and, second, timm's.
    ///
    /// - Parameter depth: the multiplier of the numbers of blocks.
    static func torchEfficientNetLite(depth: Double) -> WeightMapping {
        var names: [(module: String, layer: String)] = [
            ("_conv_stem", "stem_conv"), ("_bn0", "stem_bn"), ("_conv_head", "top_conv"), ("_bn1", "top_bn"),
            ("_fc", "predictions"),
        ]
        var timmNames: [(module: String, layer: String)] = [
            ("conv_stem", "stem_conv"), ("bn1", "stem_bn"), ("conv_head", "top_conv"), ("bn2", "top_bn"),
            ("classifier", "predictions"),
        ]
        let parts = ["expand_conv", "expand_bn", "dwconv", "bn", "project_conv", "project_bn"]
        for (place, block) in efficientNetLiteBlocks(depth: depth).enumerated() {
            func name(_ part: String) -> String { "\(block.name)_\(part)" }
            for (module, part) in zip(
                ["_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2"], parts)
            {
                names.append(("_blocks.\(place).\(module)", name(part)))
            }
            let isFirst = place == 0
            for (module, part) in zip(
                isFirst
                    ? ["conv_dw", "bn1", "conv_pw", "bn2"]
                    : ["conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"],
                parts.dropFirst(isFirst ? 2 : 0))
            {
                timmNames.append(("blocks.\(block.stage - 1).\(block.index).\(module)", name(part)))
            }
        }
        return WeightMapping(names + timmNames)
    }
}
