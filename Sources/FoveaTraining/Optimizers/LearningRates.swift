import FoveaGraph
import FoveaLayers

/// The learning rate of each variable: the graph's argument `learning_rate`, multiplied where that was asked for.
struct LearningRates {
    private let rate = Tensor.argument("learning_rate")
    private let multiplied: [Variable: Tensor]

    /// - Throws: `TrainingError.invalidArgument` for a multiplier that is negative or not finite.
    init(_ multipliers: [Variable: Double]) throws {
        var products: [Double: Tensor] = [:]
        var multiplied: [Variable: Tensor] = [:]
        for (variable, multiplier) in multipliers where multiplier != 1 {
            guard multiplier.isFinite, multiplier >= 0 else {
                throw TrainingError.invalidArgument(
                    "the learning rate's multiplier of '\(variable.name)'", "\(multiplier)",
                    expected: "a finite number that is not negative, such as 0.1")
            }
            let product = try products[multiplier] ?? rate * Float(multiplier)
            products[multiplier] = product
            multiplied[variable] = product
        }
        self.multiplied = multiplied
    }

    subscript(variable: Variable) -> Tensor { multiplied[variable] ?? rate }
}

extension CompiledModel {
    /// Multipliers of learning rates by the variables that are trained with them.
    ///
    /// - Parameter byPath: by the paths of layers or parameters.
    /// - Throws: `TrainingError` for a path that nothing in the model has.
    func rateMultipliers(
        _ byPath: [String: Double], in model: any ModelProtocol
    ) throws -> [Variable: Double] {
        if byPath.isEmpty { return [:] }
        func isBelow(_ path: String, _ other: String) -> Bool { path == other || path.hasPrefix(other + "/") }
        let all = model.parameters.map(\.path)
        for path in byPath.keys.sorted() where !all.contains(where: { isBelow($0, path) }) {
            // A layer without parameters has no learning rate, which is worth saying, too.
            let layers = Set(all.map { String($0.prefix { $0 != "/" }) }).sorted()
            throw TrainingError.unknownPath(path, known: layers)
        }
        var multipliers: [Variable: Double] = [:]
        for (path, parameter) in model.trainableParameters {
            guard let variable = parameter.variable,
                let longest = byPath.keys.filter({ isBelow(path, $0) }).max(by: { $0.count < $1.count })
            else { continue }
            multipliers[variable] = byPath[longest]
        }
        return multipliers
    }
}
