import Foundation
import FoveaGraph
import FoveaLayers
import FoveaModels
import Testing

/// Layers and parameter counts of the published architectures, against Keras (Golden/make_summaries.py) and the papers.
@Suite struct ArchitectureSummaryTests {
    struct Golden: Decodable {
        let summaries: [Summary]
    }

    struct Summary: Decodable {
        let name: String
        let input, output: [Int]
        let includeTop: Bool
        let trainable, nonTrainable: Int
        /// Nil where only the totals are compared.
        let layers: [Row]?
    }

    struct Row: Decodable, Hashable {
        let name, kind: String
        /// Of one example.
        let shape: [Int]
        let parameters: Int

        init(_ call: ModelCall) {
            name = call.layerName
            kind = type(of: call.layer).typeName
            shape = Array(call.outputShapes[0].dimensions.dropFirst())
            parameters = call.layer.parameterCount
        }

        init(from decoder: any Decoder) throws {
            var row = try decoder.unkeyedContainer()
            name = try row.decode(String.self)
            let kind = try row.decode(String.self)
            // What Keras makes of a chain of layers.
            self.kind = kind == "Functional" ? "Sequential" : kind
            shape = try row.decode([Int].self)
            parameters = try row.decode(Int.self)
        }
    }

    @Test func layersAreKerass() throws {
        let summaries = try golden("architectures", as: Golden.self).summaries
        #expect(summaries.count == 13)
        for summary in summaries {
            let model = try model(summary)
            let what = "\(summary.name) of \(summary.input)"
            #expect(try model.inputShape == Shape(summary.input), "\(what)")
            #expect(try model.outputShape == Shape(summary.output), "\(what)")
            let trainable = model.trainableParameterCount
            #expect(trainable == summary.trainable, "\(what)")
            #expect(model.parameterCount - trainable == summary.nonTrainable, "\(what)")
            guard let layers = summary.layers else { continue }
            let rows = model.calls.map(Row.init)
            #expect(rows.count == layers.count && Set(rows) == Set(layers), "\(what)")
        }
    }

    private func model(_ summary: Summary) throws -> any ModelProtocol {
        guard summary.name == "transfer" else {
            return try NamedNetwork.named(summary.name).model(
                input: Shape(summary.input), includeTop: summary.includeTop)
        }
        let base = try NamedNetwork.vgg16.model(input: Shape(summary.input), includeTop: false)
        base.isTrainable = false
        return try Sequential(input: Shape(summary.input)) {
            base
            Flatten()
            Dense(units: 512, activation: .relu)
            Dense(units: 10, activation: .softmax)
        }
    }

    /// - LeNet-5: the sum over figure 2 of the paper with all connections, 156 + 2,416 + 48,120 + 10,164 + 850.
    /// - AlexNet: Caffe's bvlc_alexnet. AlexNet 2014, ResNet-18 and ResNet-34: torchvision's documentation, "num_params",
    ///   which does not count moving averages.
    /// - VGG-16, VGG-19, ResNet-50, ResNet-101, ResNet-152: Keras's documentation.
    /// - GoogLeNet: Caffe's bvlc_googlenet, with and without the layers of its auxiliary losses.
    /// - ResNet-20 for CIFAR: Keras's example cifar10_resnet.
    @Test(arguments: [
        (NamedNetwork.leNet5, 61_706, 0), (.alexNet, 60_965_224, 0), (.alexNet2014, 61_100_840, 0),
        (.vgg16, 138_357_544, 0), (.vgg19, 143_667_240, 0), (.googLeNet, 6_998_552, 0),
        (.googLeNetAuxiliary, 13_378_280, 0), (.resNet18, 11_689_512, 9_600), (.resNet34, 21_797_672, 17_024),
        (.resNet50, 25_583_592, 53_120), (.resNet101, 44_601_832, 105_344),
        (.resNet152, 60_268_520, 151_424), (.cifarResNet20, 273_066, 1_376),
    ])
    func publishedTotals(network: NamedNetwork, learned: Int, others: Int) throws {
        let model = try network.model()
        let trainable = model.trainableParameterCount
        #expect(trainable == learned)
        #expect(model.parameterCount - trainable == others)
        #expect(try model.inputShape == network.inputShape)
        #expect(model.namedOutputs.allSatisfy { $0.shape == [network.classCount] })
    }

    /// Table 6 of the paper, in units of ten thousand; of what option A has none are counted: projections and biases of
    /// convolutions. In all: what the documentation says.
    @Test(arguments: [
        (NamedNetwork.cifarResNet20, 27, 274_442), (.cifarResNet32, 46, 470_218),
        (.cifarResNet44, 66, 665_994),
        (.cifarResNet56, 85, 861_770), (.cifarResNet110, 173, 1_742_762),
    ])
    func residualNetworksForCIFAR(network: NamedNetwork, published: Int, total: Int) throws {
        let model = try network.model()
        #expect(model.parameterCount == total)
        let counted = model.trainableParameters.filter {
            !$0.path.contains("_0_conv/") && !$0.path.hasSuffix("_conv/bias")
        }
        let learned = counted.map(\.parameter.elementCount).reduce(0, +)
        #expect((Double(learned) / 10_000).rounded() == Double(published))
        let depth = counted.count { $0.path.hasSuffix("kernel") }
        #expect("\(depth)" == network.rawValue.dropFirst("cifar-resnet".count))
    }

    /// The column "output size" of table 1 of Szegedy et al. 2014. Its column "params" does not fit the filters it lists.
    @Test func inceptionModules() throws {
        let model = try NamedNetwork.googLeNet.model()
        let shapes = Dictionary(model.calls.map { ($0.layerName, $0.outputShapes[0]) }) { $1 }
        #expect(shapes["pool1"] == [Shape.batch, 56, 56, 64])
        #expect(shapes["pool2"] == [Shape.batch, 28, 28, 192])
        for (name, size, filters) in [
            ("3a", 28, 256), ("3b", 28, 480), ("4a", 14, 512), ("4b", 14, 512), ("4c", 14, 512),
            ("4d", 14, 528),
            ("4e", 14, 832), ("5a", 7, 832), ("5b", 7, 1024),
        ] {
            #expect(shapes["inception_\(name)"] == [Shape.batch, size, size, filters], "\(name)")
        }
    }
}
