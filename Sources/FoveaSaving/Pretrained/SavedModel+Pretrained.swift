import Foundation
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaModels

extension NamedNetwork {
    /// The network with weights that somebody has trained. The other arguments are those of `model(input:classes:…)`.
    ///
    /// ```swift
    /// let base = try await NamedNetwork.efficientNetLite0.model(
    ///     weights: .pretrained, includeTop: false, pooling: .average)
    /// ```
    ///
    /// Like all of Fovea's models it takes pictures as numbers from 0 to 1: its first layer, `rescaling`, makes of them what the
    /// weights expect (`PictureScaling`).
    ///
    /// - Parameters:
    ///   - weights: where the weights come from.
    ///   - library: where published weights are kept, and how they are downloaded.
    /// - Throws: `PretrainedError` when none are published, or those do not have what is asked for; `ShapeError` as
    ///   `model(input:classes:…)`; `DatasetError` and `CancellationError` from the download; `FileError` and `ModelFileError` when
    ///   the file cannot be read or does not fit the network.
    public func model(
        weights: NetworkWeights, input: Shape? = nil, classes: Int? = nil, includeTop: Bool = true,
        pooling: FeaturePooling = .none, dropoutRate: Double? = nil, seed: UInt64 = 0,
        library: PretrainedLibrary = PretrainedLibrary()
    ) async throws -> any ModelProtocol {
        let (path, scaling, mapping): (String, PictureScaling, WeightMapping?)
        switch weights {
        case .pretrained, .published:
            let published = try published(
                weights, input: input, classes: classes, includeTop: includeTop, library)
            path = try await library.file(of: published)
            (scaling, mapping) = (published.scaling, torchMapping)
        case .file(let file, let given):
            path = file
            (scaling, mapping) = (given ?? usualScaling(of: file), torchMapping)
        }
        let model = try model(
            behind: scaling.layer, input: input, classes: classes, includeTop: includeTop, pooling: pooling,
            dropoutRate: dropoutRate, seed: seed)
        try await model.loadNetworkWeights(from: path, mapping: mapping, isBlueFirst: scaling.isBlueFirst)
        return model
    }

    /// The published weights to take.
    private func published(
        _ weights: NetworkWeights, input: Shape?, classes: Int?, includeTop: Bool,
        _ library: PretrainedLibrary
    ) throws -> PublishedWeights {
        let known = PublishedWeights.of(self)
        let candidates: [PublishedWeights]
        if case .published(let chosen) = weights {
            guard chosen.network == self else {
                throw PretrainedError(
                    "'\(chosen.name)' are weights of \(chosen.network.rawValue), not of \(rawValue)")
            }
            candidates = [chosen]
        } else {
            candidates = known
        }
        guard let first = candidates.first else {
            let others = PublishedWeights.all.map(\.network.rawValue)
            throw PretrainedError(
                "no published weights of \(rawValue) are known; "
                    + "there are some of \(Set(others).sorted().joined(separator: ", "))")
        }
        let input = input ?? inputShape
        guard input.rank != 3 || input[2] == 3 else {
            throw PretrainedError(
                "the published weights of \(rawValue) take pictures of 3 channels, not of \(input[2]); convert the pictures to colour"
            )
        }
        guard includeTop else {
            // A small file is preferred to one with a top that nobody needs, but not to one that is here.
            let smallest = candidates.filter { $0.publisher == first.publisher }.sorted {
                !$0.includesTop && $1.includesTop
            }
            return candidates.first { library.path(of: $0) != nil } ?? smallest.first ?? first
        }
        guard classes == nil || classes == classCount else {
            throw PretrainedError(
                "the published weights of \(rawValue) tell \(classCount) classes, not \(classes ?? 0); for classes of your "
                    + "own take the network without top (includeTop: false) and add a Dense layer")
        }
        guard let whole = candidates.first(where: \.includesTop) else {
            throw PretrainedError(
                "'\(first.name)' have no top; take \(known.filter(\.includesTop).map(\.name).joined(separator: " or ")), or the "
                    + "network without top (includeTop: false)")
        }
        return whole
    }

    /// What a file's weights most likely expect of pictures.
    private func usualScaling(of file: String) -> PictureScaling {
        let isKeras: Bool
        switch FileFormat(beginningOf: file) {
        case .hdf5, .kerasArchive: isKeras = true
        case .torchArchive, .pickle: isKeras = false
        default: return .unchanged
        }
        return PublishedWeights.of(self).first { ($0.publisher == .keras) == isKeras }?.scaling ?? .unchanged
    }
}

extension SavedModel {
    /// A network with published weights, and the names of ImageNet's classes; as `NamedNetwork.model(weights:…)`.
    public init(
        _ network: NamedNetwork, weights: NetworkWeights, library: PretrainedLibrary = PretrainedLibrary()
    ) async throws {
        let model = try await network.model(weights: weights, library: library)
        self.init(
            model, classNames: network.classCount == ImageNet.classNames.count ? ImageNet.classNames : [])
    }
}

extension ModelProtocol {
    /// Gives the parameters of a network known by name the values in a file, of which some may be left over: those of a top.
    @Compute
    fileprivate func loadNetworkWeights(
        from path: String, mapping: WeightMapping?, isBlueFirst: Bool
    ) throws {
        switch FileFormat(beginningOf: path) {
        case .hdf5, .kerasArchive:
            // By name, because the file may have a top that is not wanted; where names are not Keras's, in their order.
            guard try !(loadWeights(from: path, byName: true).isEmpty) else { break }
            try loadWeights(from: path)
        case .torchArchive, .pickle: try loadWeights(from: path, mapping: mapping)
        default: try loadWeights(from: path)
        }
        if isBlueFirst { try turnFirstChannels() }
    }

    /// Lets the first convolution take red, green and blue where it was made for blue, green and red.
    @Compute
    private func turnFirstChannels() throws {
        let kernels = parameters.lazy.filter { $0.parameter.name == "kernel" }.compactMap(
            \.parameter.variable)
        guard let kernel = kernels.first, kernel.shape.rank == 4, kernel.shape[2] == 3 else { return }
        let (filters, values) = (kernel.shape[3], try kernel.value().floats)
        var turned = values
        for place in stride(from: 0, to: values.count, by: 3 * filters) {
            for channel in 0..<3 {
                let (from, to) = (place + channel * filters, place + (2 - channel) * filters)
                turned.replaceSubrange(to..<to + filters, with: values[from..<from + filters])
            }
        }
        try kernel.assign(TensorValue(shape: kernel.shape, turned))
    }
}

extension FileFormat {
    /// What a file begins like; nil when it cannot be read, too.
    fileprivate init?(beginningOf path: String) {
        guard let file = FileHandle(forReadingAtPath: path), let bytes = try? file.read(upToCount: 4096)
        else {
            return nil
        }
        self.init(content: [UInt8](bytes))
    }
}
