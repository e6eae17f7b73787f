import ArgumentParser
import Fovea

/// The schedule that `--schedule` names, for a training whose epochs have so many steps. On the command line times are epochs.
///
/// - Throws: `ValidationError` for an unknown name or setting and for values out of range.
func parsedSchedule(
    _ text: String, learningRate: Double, epochs: Int, stepsPerEpoch: Int
) throws -> LearningRateSchedule {
    let text = try SettingsText(text, of: "--schedule")
    func steps(_ epochs: Double) -> Int { Int((epochs * Double(stepsPerEpoch)).rounded()) }
    let all = max(1, steps(Double(epochs)))
    let schedule: LearningRateSchedule
    switch try ScheduleName(text) {
    case .cosine:
        let warmup = steps(try text.number("warmup", usually: 0))
        schedule = .cosineDecay(
            initialLearningRate: warmup > 0 ? 0 : learningRate, decaySteps: max(1, all - warmup),
            alpha: try text.number("alpha", usually: 0), warmupTarget: warmup > 0 ? learningRate : nil,
            warmupSteps: warmup)
    case .restarts:
        schedule = .cosineDecayRestarts(
            initialLearningRate: learningRate, firstDecaySteps: steps(try text.number("first", usually: 10)),
            tMul: try text.number("longer", usually: 2), mMul: try text.number("lower", usually: 1),
            alpha: try text.number("alpha", usually: 0))
    case .step:
        schedule = .exponentialDecay(
            initialLearningRate: learningRate, decaySteps: steps(try text.number("every", usually: 10)),
            decayRate: try text.number("rate", usually: 0.1), staircase: true)
    case .exponential:
        schedule = .exponentialDecay(
            initialLearningRate: learningRate, decaySteps: stepsPerEpoch,
            decayRate: try text.number("rate", usually: 0.9))
    case .polynomial:
        schedule = .polynomialDecay(
            initialLearningRate: learningRate, decaySteps: all,
            endLearningRate: try text.number("end", usually: 0.0001),
            power: try text.number("power", usually: 1))
    case .oneCycle:
        schedule = .oneCycle(
            maximumLearningRate: learningRate, totalSteps: all,
            warmupFraction: try text.number("warmup", usually: 0.3))
    }
    do { try schedule.checkSettings() } catch { throw ValidationError("--schedule: \(error)") }
    return schedule
}

/// The schedules that the command knows, with their settings.
private enum ScheduleName: String, CaseIterable {
    case cosine, step, exponential, polynomial
    case restarts = "cosine-restarts"
    case oneCycle = "one-cycle"

    init(_ text: SettingsText) throws {
        self = try named(text.name, "schedule")
        let known =
            switch self {
            case .cosine: ["alpha", "warmup"]
            case .restarts: ["first", "longer", "lower", "alpha"]
            case .step: ["every", "rate"]
            case .exponential: ["rate"]
            case .polynomial: ["end", "power"]
            case .oneCycle: ["warmup"]
            }
        try text.check(known)
    }
}

/// How gradients are made smaller: `norm=1`, `global-norm=1` or `value=0.5`.
func parsedClipping(_ text: String) throws -> GradientClipping {
    let pair = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
    let kinds: [String: (Double) -> GradientClipping] = [
        "norm": { .norm($0) }, "global-norm": { .globalNorm($0) }, "value": { .value($0) },
    ]
    guard pair.count == 2, let kind = kinds[pair[0]], let limit = Double(pair[1]) else {
        throw ValidationError(
            "--clip is norm, global-norm or value and a limit, such as norm=1, not '\(text)'")
    }
    do {
        try kind(limit).checkSettings()
    } catch { throw ValidationError("--clip \(text): \(error)") }
    return kind(limit)
}

/// How much classes count: `balanced`, or weights by class name or number, such as `cats=2,dogs=1`.
///
/// - Parameters:
///   - labels: the classes of the training examples.
///   - names: what the classes are called.
/// - Throws: `ValidationError` for a class that there is not and for a weight that is none.
func parsedClassWeights(_ text: String, labels: () -> [Int], names: [String]) throws -> ClassWeights {
    if text == "balanced" { return try ClassWeights(balancing: labels()) }
    var weights: [Int: Double] = [:]
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        // A name may have an equals sign in it.
        guard let equals = part.lastIndex(of: "="), let weight = Double(part[part.index(after: equals)...])
        else {
            throw ValidationError(
                "--class-weights: '\(part)' must be a class and its weight, such as 0=2, or all be 'balanced'"
            )
        }
        let name = String(part[..<equals])
        guard let label = names.firstIndex(of: name) ?? Int(name), names.indices.contains(label) else {
            throw ValidationError("--class-weights: " + unknown("class", name, among: names))
        }
        guard weights.updateValue(weight, forKey: label) == nil else {
            throw ValidationError("--class-weights: the class '\(name)' is given twice")
        }
    }
    do { return try ClassWeights(weights) } catch { throw ValidationError("--class-weights: \(error)") }
}
