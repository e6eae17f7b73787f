/// Names of layers, made of those of nodes and weights.
struct LayerNames {
    private var taken = Set<String>()

    /// - Parameter reserved: names that only the layers which give a model's outputs may have.
    init(reserved: [String]) { taken = Set(reserved.compactMap(Self.name)) }

    /// What weights are called after the name of their layer.
    private static let weightEndings = [
        ".weight", "/kernel", "/depthwise_kernel", "/gamma", "/alpha", "_w_0", "_s_0", "_scale_0",
    ]

    /// A name that no other layer has; nil for one that the model chooses.
    ///
    /// - Parameters:
    ///   - weight: the name of a constant that belongs to the layer.
    ///   - node: that of the node, which ends with the operation in some files: `/features/0/Conv`.
    ///   - output: of the graph, if the layer gives one.
    mutating func next(weight: String?, node: String, operation: String, output: String?) -> String? {
        if let output, let name = Self.name(output) { return name }
        var wish: String?
        if let weight, let ending = Self.weightEndings.first(where: weight.hasSuffix) {
            wish = Self.name(String(weight.dropLast(ending.count)))
        }
        if wish == nil {
            let parts = node.split(separator: "/")
            let isLast = parts.last.map { $0 == operation || $0.hasPrefix(operation + "_") } ?? false
            wish = Self.name((isLast ? parts.dropLast() : parts[...]).joined(separator: "/"))
        }
        guard let wish else { return nil }
        var (name, number) = (wish, 0)
        while !taken.insert(name).inserted {
            number += 1
            name = "\(wish)_\(number)"
        }
        return name
    }

    /// A name that layers, inputs and models can have; nil where nothing is left, or only a number.
    static func name(_ text: String) -> String? {
        let parts = text.unicodeScalars.prefix(120).split { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
            default: scalar == "/"
            }
        }
        let name = parts.map { String($0) }.joined(separator: "_")
        let digits = name.hasPrefix("n") || name.hasPrefix("r") ? name.dropFirst() : name[...]
        return digits.allSatisfy(\.isNumber) ? nil : name
    }
}
