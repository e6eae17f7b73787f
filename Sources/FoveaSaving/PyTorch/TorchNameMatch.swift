import FoveaGraph
import FoveaModels

/// Which tensors of a file are which parameters of a model, by names and shapes alone.
struct TorchNameMatch {
    private(set) var pairs: [(parameter: TorchParameter, tensor: StoredTensor)] = []
    /// What prevents the file from being read into the model, each in a few words: tensors that do not fit their parameters,
    /// parameters without a tensor, and tensors that belong nowhere.
    private(set) var misfits: [String] = []
    private(set) var missing: [String] = []
    private(set) var strangers: [String] = []
    var problems: [String] { misfits + missing + strangers }
    /// Tensors that rules give to layers which this model does not have, such as the classifier of a network whose base it is.
    private(set) var leftOut: [String] = []

    /// PyTorch counts the batches that normalization has seen; nothing is computed with that.
    private static let counter = "num_batches_tracked"

    /// - Parameters:
    ///   - tensors: of the file, without what their names may begin with in common.
    ///   - parameters: those of the model.
    ///   - mapping: the rules by which modules become layers.
    init(_ tensors: [StoredTensor], _ parameters: [TorchParameter], _ mapping: WeightMapping) {
        var open = Dictionary(
            parameters.map { (Key(layer: $0.layerPath, name: $0.torchName), $0) },
            uniquingKeysWith: { first, _ in first })
        let layers = Set(parameters.map(\.layerPath))
        for tensor in tensors {
            let (module, name) = Self.split(tensor.name)
            if name == Self.counter { continue }
            let ruled = mapping.layer(forModule: module)
            let layer = ruled ?? Self.layer(module, among: layers)
            guard let parameter = open.removeValue(forKey: Key(layer: layer, name: name)) else {
                if let ruled, !layers.contains(ruled) {
                    leftOut.append(tensor.name)
                } else {
                    strangers.append("tensor \(quoted(tensor.name)) \(tensor.shape) belongs to no layer")
                }
                continue
            }
            if !parameter.layout.fits(tensor.shape) {
                misfits.append(
                    "tensor \(quoted(tensor.name)) is \(tensor.shape), for \(quoted(parameter.path)) it should be "
                        + "\(Shape(parameter.layout.shape))")
            } else if !tensor.type.isFloat {
                misfits.append("tensor \(quoted(tensor.name)) holds \(tensor.type.rawValue), no fractions")
            } else if let name = parameter.orderUnknownBehind {
                misfits.append(
                    "in which order PyTorch keeps \(quoted(parameter.path)) cannot be told behind \(quoted(name))"
                )
            } else {
                pairs.append((parameter, tensor))
            }
        }
        for parameter in parameters
        where open[Key(layer: parameter.layerPath, name: parameter.torchName)] != nil {
            missing.append("there is no tensor for \(quoted(parameter.path)) \(parameter.variable.shape)")
        }
    }

    private struct Key: Hashable {
        let layer: String
        let name: String
    }

    private static func split(_ name: String) -> (module: String, parameter: String) {
        guard let dot = name.lastIndex(of: ".") else { return ("", name) }
        return (String(name[..<dot]), String(name[name.index(after: dot)...]))
    }

    /// Of a module without a rule.
    private static func layer(_ module: String, among layers: Set<String>) -> String {
        layers.contains(module) ? module : module.split(separator: ".").joined(separator: "/")
    }
}

extension StoredType {
    var isFloat: Bool {
        switch self {
        case .float64, .float32, .float16, .bfloat16: true
        default: false
        }
    }
}
