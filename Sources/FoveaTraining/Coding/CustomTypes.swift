import Foundation
import FoveaGraph
import FoveaLayers

/// Types of a program's own that files may name, beside those of Fovea. Of two types of one name the program's is taken.
///
/// ```swift
/// let saved = try await SavedModel(
///     contentsOf: "model.safetensors", customTypes: CustomTypes(layers: [Doubling.self], losses: [QuarticError.self]))
/// ```
public struct CustomTypes: Sendable {
    public var layers: [any Layer.Type]
    public var optimizers: [any Optimizer.Type]
    public var losses: [any Loss.Type]
    public var metrics: [any Metric.Type]

    public init(
        layers: [any Layer.Type] = [], optimizers: [any Optimizer.Type] = [],
        losses: [any Loss.Type] = [], metrics: [any Metric.Type] = []
    ) {
        self.layers = layers
        self.optimizers = optimizers
        self.losses = losses
        self.metrics = metrics
    }

    /// The types that a training uses.
    public init(of configuration: TrainingConfiguration) {
        self.init(optimizers: [type(of: configuration.optimizer)])
        for output in configuration.outputs.values {
            let ofMetrics = output.metrics.compactMap { ($0 as? LossMetric)?.loss }
            losses += (ofMetrics + [output.loss].compactMap { $0 }).map { type(of: $0) }
            metrics += output.metrics.map { type(of: $0) }.filter { $0 != LossMetric.self }
        }
    }

    /// Every layer that a file may name.
    public var allLayers: [any Layer.Type] { layers + builtInLayers }

    func optimizer(named name: String) throws(UnknownName) -> any Optimizer.Type {
        let all = optimizers + builtInOptimizers
        return try Self.find(name, "optimizer", all.map { ($0.name, $0) })
    }

    func loss(named name: String) throws(UnknownName) -> any Loss.Type {
        let all = losses + builtInLosses
        return try Self.find(name, "loss", all.map { (camelCased($0.name), $0) })
    }

    /// The metric of that name with default settings; losses are metrics, too.
    func metric(named name: String) throws(UnknownName) -> any Metric {
        let ofLosses = (losses + builtInLosses).map { LossMetric($0.init()) }
        let all = (metrics + builtInMetrics).map { ($0.name, $0.init()) } + ofLosses.map { ($0.kind, $0) }
        return try Self.find(name, "metric", all)
    }

    private static func find<Found>(
        _ name: String, _ kind: String, _ known: [(name: String, Found)]
    ) throws(UnknownName) -> Found {
        if let found = known.first(where: { $0.name == name }) { return found.1 }
        throw UnknownName(
            message: "there is no \(kind) '\(name)'; \(adviceOnName(name, among: known.map(\.name))); "
                + "name types of your own in customTypes")
    }
}

/// A name in a file that stands for nothing known.
package struct UnknownName: Error {
    let message: String

    func error(at path: [any CodingKey]) -> DecodingError {
        .dataCorrupted(.init(codingPath: path, debugDescription: message, underlyingError: self))
    }
}

extension JSONDecoder {
    /// The types that may be read beside those of Fovea.
    public var customTypes: CustomTypes {
        get { userInfo.customTypes }
        set { if let key = CodingUserInfoKey.customTypes { userInfo[key] = newValue } }
    }
}

extension Decoder {
    var customTypes: CustomTypes { userInfo.customTypes }
}

extension CodingUserInfoKey {
    fileprivate static let customTypes = CodingUserInfoKey(rawValue: "fovea.customTypes")
}

extension [CodingUserInfoKey: any Sendable] {
    fileprivate var customTypes: CustomTypes {
        CodingUserInfoKey.customTypes.flatMap { self[$0] as? CustomTypes } ?? CustomTypes()
    }
}

extension [CodingUserInfoKey: Any] {
    fileprivate var customTypes: CustomTypes {
        CodingUserInfoKey.customTypes.flatMap { self[$0] as? CustomTypes } ?? CustomTypes()
    }
}
