import FoveaGraph

extension DatasetName {
    public var info: DatasetInfo {
        switch self {
        case .mnist: .mnist
        case .fashionMNIST: .fashionMNIST
        case .cifar10: .cifar10
        case .cifar100: .cifar100(.hundred, title: "CIFAR-100", classNames: cifar100ClassNames)
        case .cifar100Coarse:
            .cifar100(
                .hundredCoarse, title: "CIFAR-100 by groups of classes", classNames: cifar100GroupNames)
        case .svhn: .svhn
        case .svhnMAT: .svhnMAT
        case .shapes: .shapes
        }
    }
}

extension DatasetInfo {
    static let mnist = DatasetInfo(
        title: "MNIST handwritten digits",
        classNames: (0...9).map(String.init),
        imageShape: [28, 28, 1], trainCount: 60_000, testCount: 10_000,
        licence: "CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
        citation: """
            Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition. \
            Proceedings of the IEEE 86(11), 1998
            """,
        format: .idx,
        files: mnistFiles(sha256: [
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ]),
        sources: [
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ])

    static let fashionMNIST = DatasetInfo(
        title: "Fashion-MNIST",
        classNames: [
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
            "Ankle boot",
        ],
        imageShape: [28, 28, 1], trainCount: 60_000, testCount: 10_000,
        licence: "MIT, Zalando SE",
        citation: """
            H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine \
            learning algorithms. 2017, arXiv:1708.07747
            """,
        format: .idx,
        files: mnistFiles(sha256: [
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ]),
        sources: ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"])

    static let cifar10 = DatasetInfo(
        title: "CIFAR-10",
        classNames: CIFAR.classNames,
        imageShape: [32, 32, 3], trainCount: 50_000, testCount: 10_000,
        licence: noLicence, citation: krizhevsky, format: .cifar(.ten),
        files: [
            DatasetFile(
                name: "cifar-10-binary.tar.gz", byteCount: 170_052_171,
                checksum: .sha256("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"))
        ],
        sources: ["https://www.cs.toronto.edu/~kriz/"])

    static func cifar100(_ kind: CIFAR.Kind, title: String, classNames: [String]) -> DatasetInfo {
        DatasetInfo(
            title: title, classNames: classNames,
            imageShape: [32, 32, 3], trainCount: 50_000, testCount: 10_000,
            licence: noLicence, citation: krizhevsky, format: .cifar(kind),
            files: [
                DatasetFile(
                    name: "cifar-100-binary.tar.gz", byteCount: 168_513_733,
                    checksum: .sha256("58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"))
            ],
            sources: ["https://www.cs.toronto.edu/~kriz/"])
    }

    static let svhn = DatasetInfo(
        title: "SVHN cropped digits (OpenML 41081)",
        classNames: (0...9).map(String.init),
        imageShape: [32, 32, 3], trainCount: 73_257, testCount: 26_032,
        licence: nonCommercial, citation: netzer, format: .openML(id: 41_081, trainCount: 73_257),
        // OpenML tells the checksum, an MD5, but no size; a value such as `255.0,` takes 6 bytes.
        files: [DatasetFile(name: "svhn.arff", byteCount: 2 << 30, checksum: nil)],
        sources: [OpenML.server])

    static let svhnMAT = DatasetInfo(
        title: "SVHN cropped digits (MATLAB files)",
        classNames: (0...9).map(String.init),
        imageShape: [32, 32, 3], trainCount: 73_257, testCount: 26_032,
        licence: nonCommercial, citation: netzer, format: .svhnMAT,
        files: [
            DatasetFile(
                name: "train_32x32.mat", byteCount: 182_040_794,
                checksum: .sha256("435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8")),
            DatasetFile(
                name: "test_32x32.mat", byteCount: 64_275_384,
                checksum: .sha256("cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b")),
        ],
        sources: ["http://ufldl.stanford.edu/housenumbers/"])

    static let shapes = DatasetInfo(
        title: "Shapes, drawn by Fovea",
        classNames: ShapesDataset.classNames,
        imageShape: [28, 28, 1], trainCount: 2_000, testCount: 500,
        licence: "none needed: the images are drawn by the program",
        citation: "", format: .drawn, files: [], sources: [])

    private static let noLicence = "none stated; the authors ask to be cited"
    private static let nonCommercial = "for non-commercial use only"
    private static let krizhevsky =
        "A. Krizhevsky: Learning multiple layers of features from tiny images. 2009"
    private static let netzer = """
        Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Y. Ng: Reading digits in natural images with \
        unsupervised feature learning. NIPS workshop on deep learning and unsupervised feature learning, 2011
        """

    /// MNIST and the sets made to replace it share names and sizes.
    private static func mnistFiles(sha256: [String]) -> [DatasetFile] {
        let names = [
            ("train-images-idx3-ubyte", 47_040_016), ("train-labels-idx1-ubyte", 60_008),
            ("t10k-images-idx3-ubyte", 7_840_016), ("t10k-labels-idx1-ubyte", 10_008),
        ]
        return zip(names, sha256).map {
            DatasetFile(name: $0.0, byteCount: $0.1, checksum: .sha256($1), isPacked: true)
        }
    }
}

private let cifar100ClassNames = [
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle",
    "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck",
    "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger",
    "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
]

private let cifar100GroupNames = [
    "aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables",
    "household_electrical_devices", "household_furniture", "insects", "large_carnivores",
    "large_man-made_outdoor_things", "large_natural_outdoor_scenes", "large_omnivores_and_herbivores",
    "medium_mammals", "non-insect_invertebrates", "people", "reptiles", "small_mammals", "trees",
    "vehicles_1",
    "vehicles_2",
]
