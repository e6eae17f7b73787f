extension Initializer {
    /// Keras's name for it.
    var className: String {
        switch self {
        case .zeros: "Zeros"
        case .ones: "Ones"
        case .constant: "Constant"
        case .randomUniform: "RandomUniform"
        case .randomNormal: "RandomNormal"
        case .truncatedNormal: "TruncatedNormal"
        case .varianceScaling: "VarianceScaling"
        case .glorotUniform: "GlorotUniform"
        case .glorotNormal: "GlorotNormal"
        case .heUniform: "HeUniform"
        case .heNormal: "HeNormal"
        case .lecunUniform: "LecunUniform"
        case .lecunNormal: "LecunNormal"
        case .orthogonal: "Orthogonal"
        case .identity: "Identity"
        }
    }

    /// One of each kind; settings do not matter.
    static let kinds: [Initializer] = [
        .zeros, .ones, .constant(0), .randomUniform(), .randomNormal(), .truncatedNormal(),
        .varianceScaling(), .glorotUniform, .glorotNormal, .heUniform, .heNormal, .lecunUniform, .lecunNormal,
        .orthogonal(), .identity(),
    ]

    /// Class name and settings, under Keras's keys.
    public var configuration: ConfigurationValue {
        let settings: Configuration =
            switch self {
            case .constant(let number): ["value": .number(number)]
            case .randomUniform(let low, let high): ["minval": .number(low), "maxval": .number(high)]
            case .randomNormal(let mean, let stddev), .truncatedNormal(let mean, let stddev):
                ["mean": .number(mean), "stddev": .number(stddev)]
            case .varianceScaling(let scale, let mode, let distribution):
                [
                    "scale": .number(scale), "mode": .string(mode.rawValue),
                    "distribution": .string(distribution.rawValue),
                ]
            case .orthogonal(let gain), .identity(let gain): ["gain": .number(gain)]
            default: [:]
            }
        return ["class_name": .string(className), "config": .object(settings)]
    }

    init(configuration: Configuration) throws(ConfigurationError) {
        var (className, reader) = try ConfigurationReader.opened(
            configuration, owner: "initializer", layerTypes: [])
        guard let kind = Self.kinds.first(where: { $0.className == className }) else {
            throw reader.unknown(
                "initializer", className, among: Self.kinds.map(\.className), key: "class_name")
        }
        self =
            switch kind {
            case .constant: .constant(try reader.number("value"))
            case .randomUniform:
                .randomUniform(min: try reader.number("minval"), max: try reader.number("maxval"))
            case .randomNormal:
                .randomNormal(mean: try reader.number("mean"), stddev: try reader.number("stddev"))
            case .truncatedNormal:
                .truncatedNormal(mean: try reader.number("mean"), stddev: try reader.number("stddev"))
            case .varianceScaling:
                .varianceScaling(
                    scale: try reader.number("scale"), mode: try reader.choice("mode"),
                    distribution: try reader.choice("distribution"))
            case .orthogonal: .orthogonal(gain: try reader.number("gain"))
            case .identity: .identity(gain: try reader.number("gain"))
            default: kind
            }
        try reader.finish()
    }
}

extension ConfigurationReader {
    public mutating func initializer(_ key: String) throws(ConfigurationError) -> Initializer {
        let settings = try object(key)
        do { return try Initializer(configuration: settings) } catch { throw error.inside(key) }
    }
}
