import FoveaFiles
import FoveaGraph

/// What was asked about a model cannot be answered.
public enum InsightError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The model has no layer with that path.
    case unknownLayer(String, model: String, known: [String])
    /// The layer is among the model's, but the model does not call it.
    case layerNotCalled(String)
    /// A layer gives no images `[height, width, channels]` and no sequences `[steps, channels]`.
    case notSpatial(layer: String, shape: Shape)
    /// No layer is a convolution whose output has more than one pixel.
    case noConvolution(model: String)
    /// The explained number does not depend on the layer.
    case doesNotDecide(layer: String, output: String)
    /// The model has several inputs or outputs and none was named, or none of that name.
    case chooseOne(_ what: String, name: String?, known: [String])
    /// An input, output or picture has a shape that does not fit.
    case wrongShape(_ what: String, Shape, expected: String)
    /// An argument outside its range.
    case invalidArgument(_ name: String, _ value: String, expected: String)
    /// The method needs a network of another kind.
    case unsuitable(_ method: String, model: String, _ reason: String)
    /// A result has NaN or infinity.
    case notFinite(_ what: String, model: String)

    public var description: String { visible(text) }

    private var text: String {
        switch self {
        case .unknownLayer(let path, let model, let known):
            "'\(model)' has no layer '\(path)'; \(Self.advice(on: path, among: known))"
        case .layerNotCalled(let path):
            "the layer '\(path)' is never called, so it has no output; ask for one that the model's outputs depend on"
        case .notSpatial(let layer, let shape):
            "\(layer): its output \(shape) has no places that a map could show; name a layer that gives images "
                + "[height, width, channels] or sequences [steps, channels], such as a convolution"
        case .noConvolution(let model):
            "'\(model)' has no convolution that gives more than one pixel, so there is no map of its features; name a "
                + "layer that gives images, or take a method that looks at the input, such as integrated gradients"
        case .doesNotDecide(let layer, let output):
            "\(layer): the output '\(output)' does not depend on what it gives; name a layer on the way there"
        case .chooseOne(let what, let name, let known):
            (name.map { "the model has no \(what) '\($0)'; " }
                ?? "the model has \(known.count) \(what)s; name one: ")
                + (name.map { adviceOnName($0, among: known, heading: "its \(what)s are") }
                    ?? known.joined(separator: ", "))
        case .wrongShape(let what, let shape, let expected):
            "\(what) has the shape \(shape), but must be \(expected)"
        case .invalidArgument(let name, let value, let expected):
            "\(name) is \(value), but must be \(expected)"
        case .unsuitable(let method, let model, let reason):
            "\(method) does not work with '\(model)': \(reason)"
        case .notFinite(let what, let model):
            "\(what) of '\(model)' has NaN or infinite numbers; look for such numbers in the input and in the model's "
                + "parameters ('fovea inspect' counts them)"
        }
    }

    /// Layers inside models are often asked for without the model's name. Where no name is close, those that begin alike are named,
    /// and not all of a deep network.
    private static func advice(on path: String, among known: [String]) -> String {
        let inside = known.filter { $0.hasSuffix("/" + path) }
        if let first = inside.first { return "did you mean '\(first)'?" }
        if let nearest = nearestName(to: path, among: known) { return "did you mean '\(nearest)'?" }
        let limit = 6
        let alike = known.enumerated().sorted { a, b in
            (-a.element.commonPrefix(with: path).count, a.offset)
                < (-b.element.commonPrefix(with: path).count, b.offset)
        }
        let named = alike.prefix(limit).map(\.element).joined(separator: ", ")
        return known.count > limit
            ? "among its \(known.count) layers are \(named); its summary lists all"
            : "its layers are \(named.isEmpty ? "none" : named)"
    }
}

extension String {
    fileprivate func commonPrefix(with other: String) -> Substring {
        let count = zip(unicodeScalars, other.unicodeScalars).prefix { $0 == $1 }.count
        return Substring(unicodeScalars.prefix(count))
    }
}
