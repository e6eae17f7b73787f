import FoveaLayers

/// One setting of a layer, as Keras's files and Fovea's have it.
struct KerasSetting: Sendable {
    /// Keras's key, which is Fovea's, too.
    let key: String
    /// Keys of earlier versions of Keras.
    let earlierKeys: [String]
    let form: KerasForm
    /// What Keras takes where the key is missing; nil where it must be there.
    let usual: ConfigurationValue?

    init(
        _ key: String, _ form: KerasForm = .plain, earlier earlierKeys: [String] = [],
        usual: ConfigurationValue? = nil
    ) {
        self.key = key
        self.earlierKeys = earlierKeys
        self.form = form
        self.usual = usual
    }

    /// Keras's value, taken out of the settings of a layer.
    func take(from settings: inout Configuration, owner: String) throws(ConfigurationError)
        -> ConfigurationValue
    {
        for key in [key] + earlierKeys {
            if let value = settings.removeValue(forKey: key) { return value }
        }
        guard let usual else {
            throw ConfigurationError(owner: owner, key: key, "it is missing")
        }
        return usual
    }
}

/// How the value of a setting differs between Keras's files and Fovea's.
enum KerasForm: Sendable {
    /// Not at all.
    case plain
    /// A number as it is, which Keras may write as null for none.
    case activation
    case initializer
    case regularizer
    case constraint
    /// A number for all axes, or a list of one for each; Fovea always has a list.
    case size(axes: Int)
    /// Likewise, or null.
    case optionalSize(axes: Int)
    /// A list of one for each axis in Fovea, a number in Keras.
    case scalarSize
    /// The strides of a pooling: null stands for its `pool_size`.
    case poolingStrides(axes: Int)
    /// A number for all sides, one for each axis, or two for each axis; Fovea has two for each.
    case border(axes: Int)
    /// `channels_first`, or null or `channels_last`, which Fovea does not write.
    case dataFormat
    /// A number, or a list of one.
    case axis
    /// A number, or a list; Fovea has a list.
    case axes
    /// A list, or null for an empty one.
    case optionalList
    /// Two numbers, or one that stands for itself with both signs.
    case factor
    /// Likewise, or null.
    case optionalFactor
    /// Two numbers, or one that stands for both.
    case pair

    /// Fovea's value for Keras's; nil where Fovea has no key.
    ///
    /// - Parameters:
    ///   - settings: the others of the layer, as Keras has them.
    ///   - warn: told what could not be taken over and does not change what the model computes.
    func fovea(
        _ value: ConfigurationValue, key: String, owner: String, settings: Configuration,
        warn: (String) -> Void
    ) throws(ConfigurationError) -> ConfigurationValue? {
        func wrong(_ expected: String) -> ConfigurationError {
            ConfigurationError(owner: owner, key: key, "expected \(expected), not \(value.shown)")
        }
        switch self {
        case .plain: return value
        case .activation:
            guard case .function(let function) = try KerasActivation(value, owner: owner) else {
                throw wrong("a function")
            }
            return .string(function.rawValue)
        case .initializer:
            if let initializer = kerasInitializer(value) { return initializer }
            warn(
                "\(owner): its \(key) \(value.shown) is not known, so that zeros would be drawn; the values of the file "
                    + "are not affected")
            return Initializer.zeros.configuration
        case .regularizer: return try kerasRegularizer(value, key: key, owner: owner)
        case .constraint: return try kerasConstraint(value, key: key, owner: owner)
        case .size(let axes):
            guard let size = Self.size(value, axes) else { throw wrong("a number or \(axes) of them") }
            return size
        case .optionalSize(let axes):
            if value.isNull { return .null }
            guard let size = Self.size(value, axes) else { throw wrong("null, a number or \(axes) of them") }
            return size
        case .scalarSize:
            guard let size = Self.size(value, 1) else { throw wrong("a number") }
            return size
        case .poolingStrides(let axes):
            let strides = value.isNull ? settings["pool_size"] ?? .integer(2) : value
            guard let size = Self.size(strides, axes) else {
                throw wrong("null, a number or \(axes) of them")
            }
            return size
        case .border(let axes):
            guard let border = Self.border(value, axes) else {
                throw wrong(axes == 1 ? "a number or two" : "a number, two, or two lists of two")
            }
            return border
        case .dataFormat: return value == .string("channels_first") ? value : nil
        case .axis:
            guard let axis = value.integer ?? Self.only(value.integers) else { throw wrong("one axis") }
            return .integer(axis)
        case .axes:
            guard let axes = value.integer.map({ [$0] }) ?? value.integers else {
                throw wrong("an axis or a list of them")
            }
            return .integers(axes)
        case .optionalList:
            if value.isNull { return [] }
            guard value.elements != nil else { throw wrong("null or a list") }
            return value
        case .optionalFactor where value.isNull: return .null
        case .factor, .optionalFactor:
            if let number = value.double { return [.number(-number), .number(number)] }
            return value
        case .pair:
            if value.double != nil { return [value, value] }
            return value
        }
    }

    /// Keras's value for Fovea's.
    func keras(
        _ value: ConfigurationValue, key: String, owner: String
    ) throws(ConfigurationError) -> ConfigurationValue {
        switch self {
        case .activation where value == .string(ActivationFunction.geluTanh.rawValue):
            throw ConfigurationError(
                owner: owner, key: key,
                "Keras's files have no name for 'gelu_tanh'; use .gelu, or write .safetensors or .onnx")
        case .initializer: return Self.named(value, module: "keras.initializers")
        case .regularizer: return Self.named(value, module: "keras.regularizers")
        case .constraint: return Self.named(value, module: "keras.constraints")
        case .scalarSize: return value.elements?.first ?? value
        case .axes: return Self.only(value.integers).map { .integer($0) } ?? value
        case .optionalList: return value == [] ? .null : value
        default: return value
        }
    }

    /// As Keras 3 names objects; Keras 2 does not mind.
    private static func named(_ value: ConfigurationValue, module: String) -> ConfigurationValue {
        guard var members = value.members else { return value }
        members["module"] = .string(module)
        members["registered_name"] = .null
        return .object(members)
    }

    private static func only(_ values: [Int]?) -> Int? { values?.count == 1 ? values?.first : nil }

    private static func size(_ value: ConfigurationValue, _ axes: Int) -> ConfigurationValue? {
        if let extent = value.integer { return .integers([Int](repeating: extent, count: axes)) }
        guard let extents = value.integers, extents.count == axes else { return nil }
        return .integers(extents)
    }

    private static func border(_ value: ConfigurationValue, _ axes: Int) -> ConfigurationValue? {
        if let extent = value.integer {
            return axes == 1
                ? .integers([extent, extent]) : [.integers([extent, extent]), .integers([extent, extent])]
        }
        guard let elements = value.elements, elements.count == 2 else { return nil }
        if let extents = value.integers {
            return axes == 1
                ? value : [.integers([extents[0], extents[0]]), .integers([extents[1], extents[1]])]
        }
        let sides = elements.compactMap(\.integers)
        return axes == 2 && sides.map(\.count) == [2, 2] ? value : nil
    }
}
