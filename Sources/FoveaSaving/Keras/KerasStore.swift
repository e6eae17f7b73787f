import FoveaGraph
import FoveaLayers

// Weights as Keras 3 keeps them, in `.weights.h5` and inside `.keras`: a group for each layer under the name of its class,
// numbered in the order of `model.layers`, whatever the layer is called.

private struct StorePlace {
    /// Of the layer's group in the file.
    let place: String
    let path: String
    let name: String
    let layer: any Layer
}

extension ModelProtocol {
    /// Every layer that is no model, with the place of its weights.
    private func storePlaces(_ place: String, _ path: String) -> [StorePlace] {
        var counts: [String: Int] = [:]
        return kerasLayers.flatMap { name, layer -> [StorePlace] in
            let model = layer as? any ModelProtocol
            let className =
                layer is AdaptedNormalization
                ? "Normalization" : model?.kerasClassName ?? type(of: layer).typeName
            let kind = snakeCase(className)
            let number = counts[kind, default: 0]
            counts[kind] = number + 1
            let inside = "\(place)layers/\(number == 0 ? kind : "\(kind)_\(number)")"
            let own = StorePlace(place: inside, path: path + name, name: name, layer: layer)
            guard let model else { return [own] }
            return model.storePlaces(inside + "/", own.path + "/")
        }
    }

    /// Places of layers, each once: what models inside share is at the first.
    fileprivate var storePlaces: [StorePlace] {
        var seen = Set<ObjectIdentifier>()
        return storePlaces("", "").filter { seen.insert(ObjectIdentifier($0.layer)).inserted }
    }
}

extension KerasWeights {
    /// Compares a file with a model.
    ///
    /// - Parameter byName: whether layers are looked for by their own names, wherever they are in the file.
    init(store root: HDF5Group, model: any ModelProtocol, byName: Bool, file: String) throws(ModelFileError) {
        let places = model.storePlaces
        var groups: [KerasWeightGroup] = []
        let stored = byName ? [:] : Self.names(in: root)
        let byNames = byName ? Self.layersByName(in: root) : [:]
        for entry in places {
            let found = byName ? byNames[entry.name] : root[entry.place]?.group
            let parameters = entry.layer.kerasParameters(entry.path)
            let tensors = try found.map { group throws(ModelFileError) in
                try Self.tensors(of: group, entry.path, file)
            }
            // An empty group is as good as none.
            let isMissing = tensors?.isEmpty ?? true
            groups.append(
                KerasWeightGroup(
                    path: entry.path, parameters: parameters,
                    tensors: isMissing && !parameters.isEmpty ? nil : tensors))
        }
        let known = Set(places.map(\.place))
        self.init(
            groups: groups,
            unused: stored.filter { !known.contains($0.key) }.map { $0.value ?? $0.key }.sorted(), file: file)
    }

    /// The weights in a group, in their order.
    private static func tensors(
        of group: HDF5Group, _ path: String, _ file: String
    ) throws(ModelFileError) -> [StoredTensor] {
        guard let variables = group["vars"]?.group else { return [] }
        let numbered = variables.members.compactMap { member in
            Int(member.name).flatMap { number in member.object.dataset.map { (number, $0.tensor) } }
        }.sorted { $0.0 < $1.0 }
        guard numbered.map(\.0) == Array(0..<variables.members.count) else {
            throw ModelFileError(
                file: file,
                problem: "the weights of \(quoted(path)) are not numbered from 0; the file is damaged")
        }
        return numbered.map(\.1)
    }

    /// The places of all groups with weights, and what their layers are called.
    private static func names(in root: HDF5Group) -> [String: String?] {
        var result: [String: String?] = [:]
        visit(root) { place, group, variables in
            guard place.hasPrefix("layers/"), !variables.members.isEmpty else { return }
            // Where random numbers of a layer stand is no weight.
            if place.hasSuffix("/seed_generator") { return }
            result[place] = variables.attribute("name")?.string
        }
        return result
    }

    private static func layersByName(in root: HDF5Group) -> [String: HDF5Group] {
        var result: [String: HDF5Group] = [:]
        visit(root) { _, group, variables in
            guard !variables.members.isEmpty, let name = variables.attribute("name")?.string else { return }
            if result[name] == nil { result[name] = group }
        }
        return result
    }

    /// Every group that has `vars`; the depth of groups in each other is bounded by the reader.
    private static func visit(
        _ root: HDF5Group, _ body: (_ place: String, _ group: HDF5Group, _ variables: HDF5Group) -> Void
    ) {
        var pending = [("", root)]
        while let (place, group) = pending.popLast() {
            if let variables = group["vars"]?.group { body(place, group, variables) }
            for member in group.members
            where member.name != "vars" && !(place == "" && member.name == "optimizer") {
                if let inner = member.object.group {
                    pending.append((place.isEmpty ? member.name : "\(place)/\(member.name)", inner))
                }
            }
        }
    }
}

extension ModelProtocol {
    /// The weights as Keras 3 keeps them.
    @Compute
    func kerasStore() throws -> HDF5Group {
        var root = HDF5Group()
        func insert(_ values: [TensorValue], name: String, at place: String) {
            var variables = HDF5Group()
            variables.attributes.append(("name", .string(name)))
            for (number, value) in values.enumerated() {
                let tensor = StoredTensor(name: "\(number)", value: value)
                variables.members.append(("\(number)", .dataset(HDF5Dataset(tensor: tensor))))
            }
            root.insert(.group(variables), at: "\(place)vars")
        }
        insert([], name: displayName, at: "")
        for entry in storePlaces {
            let parameters = entry.layer.kerasParameters(entry.path)
            insert(
                try parameters.compactMap { try $0.parameter.variable?.value() }, name: entry.name,
                at: entry.place + "/")
        }
        return root
    }
}
