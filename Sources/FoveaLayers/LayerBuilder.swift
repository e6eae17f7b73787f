/// Collects the layers written in the braces of a model, with `if`, `switch`, `for`, optional layers, and lists such as the
/// `layers` of another model.
@resultBuilder
public enum LayerBuilder {
    public static func buildExpression(_ layer: (any Layer)?) -> [any Layer] { layer.map { [$0] } ?? [] }
    public static func buildExpression(_ layers: some Sequence<any Layer>) -> [any Layer] { Array(layers) }
    public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
    public static func buildOptional(_ layers: [any Layer]?) -> [any Layer] { layers ?? [] }
    public static func buildEither(first layers: [any Layer]) -> [any Layer] { layers }
    public static func buildEither(second layers: [any Layer]) -> [any Layer] { layers }
    public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
    public static func buildLimitedAvailability(_ layers: [any Layer]) -> [any Layer] { layers }
}
