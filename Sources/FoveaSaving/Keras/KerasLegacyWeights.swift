import FoveaGraph
import FoveaLayers

// Weights as Keras 2 keeps them, and Keras 3 in `.h5` files: a group for each layer of the model, whose weights, also those of
// a model inside, stand in one row: what is trained first.

/// The version of Keras as which files are written.
let kerasVersion = "3.15.0"

private enum Key {
    static let layers = "layer_names"
    static let weights = "weight_names"
    static let version = "keras_version"
}

extension KerasWeights {
    /// Compares a file with a model.
    ///
    /// - Parameter group: that of the weights, `/` or `/model_weights`.
    init(legacy group: HDF5Group, model: any ModelProtocol, byName: Bool, file: String) throws(ModelFileError)
    {
        func failure(_ problem: String) -> ModelFileError { ModelFileError(file: file, problem: problem) }
        guard let names = group.texts(Key.layers) else {
            throw failure("its weights have no list '\(Key.layers)'; the file is damaged")
        }
        var stored: [(name: String, tensors: [StoredTensor])] = []
        var weightNames: [[String]] = []
        for name in names {
            guard let layer = group[name]?.group, let weights = layer.texts(Key.weights) else {
                throw failure("layer \(quoted(name)) has no list '\(Key.weights)'; the file is damaged")
            }
            var tensors: [StoredTensor] = []
            for weight in weights {
                guard let tensor = layer[weight]?.dataset?.tensor else {
                    throw failure(
                        "weight \(quoted(weight)) of layer \(quoted(name)) is missing; the file is damaged")
                }
                tensors.append(tensor)
            }
            if tensors.isEmpty { continue }
            stored.append((KerasReader.name(name), tensors))
            weightNames.append(weights)
        }

        let own = model.kerasLayers.map { ($0.name, $0.layer.kerasLegacyParameters($0.name)) }
            .filter { !$0.1.isEmpty }
        let places = Dictionary(
            stored.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
        // Keras goes by position. Where the names are the same they say more, whatever the order.
        let goesByName = byName || Set(places.keys) == Set(own.map(\.0))
        let groups = own.enumerated().map { index, entry in
            let place = goesByName ? places[entry.0] : stored.indices.contains(index) ? index : nil
            let parameters =
                place.flatMap { Self.ordered(entry.1, like: weightNames[$0]) } ?? entry.1
            return KerasWeightGroup(
                path: entry.0, parameters: parameters, tensors: place.map { stored[$0].tensors })
        }
        let unused =
            goesByName
            ? stored.map(\.name).filter { name in !own.contains { $0.0 == name } }
            : stored.dropFirst(own.count).map(\.name)
        self.init(groups: groups, unused: unused, file: file)
    }

    /// The parameters of a model inside in the order of a file that was written when others of its layers were frozen; nil when
    /// the names of the layers do not tell it.
    private static func ordered(_ parameters: [KerasParameter], like names: [String]) -> [KerasParameter]? {
        // "base/conv2d/kernel:0" is a weight of "conv2d".
        func layer(_ path: String) -> String? { path.split(separator: "/").dropLast().last.map(String.init) }
        guard parameters.count == names.count,
            parameters.contains(where: { $0.path.split(separator: "/").count > 2 })
        else { return nil }
        let all = parameters.filter(\.parameter.isLearned) + parameters.filter { !$0.parameter.isLearned }
        var waiting: [String: [KerasParameter]] = [:]
        for entry in all.reversed() { waiting[layer(entry.path) ?? "", default: []].append(entry) }
        var result: [KerasParameter] = []
        for name in names {
            guard let next = waiting[layer(name) ?? ""]?.popLast() else { return nil }
            result.append(next)
        }
        return result
    }
}

extension ModelProtocol {
    /// The weights as Keras 2 keeps them.
    @Compute
    func kerasLegacyWeights() throws -> HDF5Group {
        let layers = kerasLayers
        var group = HDF5Group()
        group.setTexts(Key.layers, layers.map(\.name))
        group.attributes.append(("backend", .string("tensorflow")))
        // Without, Keras 2 takes the weights for those of Keras 1, and turns some of them.
        group.attributes.append((Key.version, .string(kerasVersion)))
        for (name, layer) in layers {
            var ofLayer = HDF5Group()
            let parameters = layer.kerasLegacyParameters(name)
            // Keras 2's names end in ":0".
            ofLayer.setTexts(Key.weights, parameters.map { "\($0.path):0" })
            for entry in parameters {
                if let value = try entry.parameter.variable?.value() {
                    let path = "\(entry.path):0"
                    ofLayer.insert(
                        .dataset(HDF5Dataset(tensor: StoredTensor(name: path, value: value))), at: path)
                }
            }
            group.members.append((name, .group(ofLayer)))
        }
        group.members.sort { $0.name < $1.name }
        return group
    }
}

extension HDF5Group {
    /// What the header of an object holds at most of an attribute.
    private static let attributeLimit = 64_512

    /// A list of texts, which is in several attributes, numbered from 0, where it is long.
    func texts(_ name: String) -> [String]? {
        if let value = attribute(name) { return value.strings ?? value.string.map { [$0] } }
        var result: [String]?
        var number = 0
        while let part = attribute("\(name)\(number)")?.strings {
            result = (result ?? []) + part
            number += 1
        }
        return result
    }

    mutating func setTexts(_ name: String, _ texts: [String]) {
        // In the header each takes 16 bytes; h5py wants no more than it could hold of texts of fixed length.
        let longest = texts.map(\.utf8.count).max() ?? 0
        let perPart = max(1, Self.attributeLimit / max(16, longest))
        if texts.count <= perPart {
            attributes.append((name, .strings(texts)))
            return
        }
        for (number, start) in stride(from: 0, to: texts.count, by: perPart).enumerated() {
            attributes.append(("\(name)\(number)", .strings(Array(texts[start...].prefix(perPart)))))
        }
    }

    /// Puts an object at a path, in groups that are made where there are none.
    mutating func insert(_ object: HDF5Object, at path: String) {
        let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
        guard let first = parts.first else { return }
        guard parts.count == 2 else {
            members.append((first, object))
            return
        }
        if let index = members.firstIndex(where: { $0.name == first }),
            var group = members[index].object.group
        {
            group.insert(object, at: parts[1])
            members[index].object = .group(group)
        } else {
            var group = HDF5Group()
            group.insert(object, at: parts[1])
            members.append((first, .group(group)))
        }
    }
}
