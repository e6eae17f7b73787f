import Foundation

/// The learning rate as a function of the step.
///
/// Steps count from 0, so the first step of training has the rate `schedule(step: 0)`; with gradient accumulation they are
/// those of the optimizer, several batches each (Keras counts batches). Rates are not negative, numbers of
/// steps are positive; `checkSettings` says what is wrong with others. Names and forms follow Keras where it has the
/// schedule. In the formulas t is the step, η₀ `initialLearningRate` and T `decaySteps`.
public enum LearningRateSchedule: Hashable, Codable, Sendable {
    /// Always the same rate.
    case constant(Double)

    /// `values[i]` up to and including the step `boundaries[i]`, and the last value after the last boundary.
    ///
    /// Boundaries ascend and there is one value more than boundaries. Keras's `PiecewiseConstantDecay`.
    case piecewiseConstant(boundaries: [Int], values: [Double])

    /// `η₀·r^(t / T)` with r = `decayRate`, not negative; with `staircase` the exponent is rounded down, so that the
    /// rate is multiplied by r at every T-th step. Keras's `ExponentialDecay` and PyTorch's `StepLR`.
    case exponentialDecay(
        initialLearningRate: Double, decaySteps: Int, decayRate: Double, staircase: Bool = false)

    /// `η₀ / (1 + r·t / T)` with r = `decayRate`, not negative; with `staircase` t / T is rounded down. Keras's
    /// `InverseTimeDecay`.
    case inverseTimeDecay(
        initialLearningRate: Double, decaySteps: Int, decayRate: Double, staircase: Bool = false)

    /// `(η₀ - η₁)·(1 - min(t, T) / T)^p + η₁` from η₀ to η₁ = `endLearningRate` with the positive exponent p = `power`.
    ///
    /// With `cycle` the decay is stretched, whenever its end is passed, to the next multiple of T, instead of staying at
    /// η₁. Keras's `PolynomialDecay`.
    case polynomialDecay(
        initialLearningRate: Double, decaySteps: Int, endLearningRate: Double = 0.0001, power: Double = 1,
        cycle: Bool = false)

    /// Half a cosine from the highest rate η down to `η·alpha`, after a linear warm-up if one is wanted.
    ///
    /// With a `warmupTarget`, the first `warmupSteps` W rise (or fall) from η₀ to η = `warmupTarget` in equal parts; else
    /// η = η₀ and W = 0. Then `η·((1 - α)·(1 + cos(π·min(t - W, T) / T)) / 2 + α)`, with α in `0...1`. Keras's
    /// `CosineDecay`. Loshchilov and Hutter 2016, "SGDR: stochastic gradient descent with warm restarts",
    /// arXiv:1608.03983; the warm-up: Goyal et al. 2017, arXiv:1706.02677.
    case cosineDecay(
        initialLearningRate: Double, decaySteps: Int, alpha: Double = 0, warmupTarget: Double? = nil,
        warmupSteps: Int = 0)

    /// Half a cosine from η₀ down, and up again at once, over periods of T₀ = `firstDecaySteps`, T₀·`tMul`, T₀·`tMul`² … steps.
    ///
    /// At the fraction x of the i-th period, counted from 0: `η₀·((1 - α)·mMulⁱ·(1 + cos(π·x)) / 2 + α)`, with α = `alpha` in
    /// `0...1`, `tMul` at least 1 and `mMul` not negative. Keras's `CosineDecayRestarts` and, with `mMul` 1, PyTorch's
    /// `CosineAnnealingWarmRestarts`. Loshchilov and Hutter 2016, arXiv:1608.03983.
    case cosineDecayRestarts(
        initialLearningRate: Double, firstDecaySteps: Int, tMul: Double = 2, mMul: Double = 1,
        alpha: Double = 0)

    /// One rise and one fall, each half a cosine: from η / `initialDivisor` up to η = `maximumLearningRate` at the step
    /// `warmupFraction`·T - 1, then down to η / (`initialDivisor`·`finalDivisor`) at the step T - 1, with T = `totalSteps`.
    ///
    /// `warmupFraction` is in `0...1`, the divisors are positive. After step T - 1 the rate stays where it is. These are the
    /// rates of PyTorch's `OneCycleLR` (`max_lr`, `pct_start`, `div_factor`, `final_div_factor`); no momentum is changed.
    /// Smith 2018, "A disciplined approach to neural network hyper-parameters", arXiv:1803.09820.
    case oneCycle(
        maximumLearningRate: Double, totalSteps: Int, warmupFraction: Double = 0.3,
        initialDivisor: Double = 25, finalDivisor: Double = 1e4)

    /// The learning rate at a step, 0 being the first.
    ///
    /// It means something only for settings that `checkSettings` accepts.
    public func callAsFunction(step: Int) -> Double {
        let t = Double(step)
        switch self {
        case .constant(let rate):
            return rate
        case .piecewiseConstant(let boundaries, let values):
            return zip(boundaries, values).first { step <= $0.0 }?.1 ?? values.last ?? 0
        case .exponentialDecay(let initial, let steps, let rate, let staircase):
            return initial * pow(rate, Self.periods(t, steps, staircase))
        case .inverseTimeDecay(let initial, let steps, let rate, let staircase):
            return initial / (1 + rate * Self.periods(t, steps, staircase))
        case .polynomialDecay(let initial, let steps, let end, let power, let cycle):
            let cycles = cycle ? max(1, (t / Double(steps)).rounded(.up)) : 1
            let decayed = min(1, t / (Double(steps) * cycles))
            return (initial - end) * pow(1 - decayed, power) + end
        case .cosineDecay(let initial, let steps, let alpha, let target, let warmupSteps):
            guard let target else { return initial * Self.cosine(from: 1, to: alpha, at: t / Double(steps)) }
            if step < warmupSteps { return initial + (target - initial) * t / Double(warmupSteps) }
            return target * Self.cosine(from: 1, to: alpha, at: (t - Double(warmupSteps)) / Double(steps))
        case .cosineDecayRestarts(let initial, let first, let tMul, let mMul, let alpha):
            let (period, fraction) = Self.period(of: t / Double(first), growth: tMul)
            let height = (1 - alpha) * pow(mMul, period) * (1 + cos(.pi * fraction)) / 2
            return initial * (height + alpha)
        case .oneCycle(let maximum, let steps, let warmupFraction, let initialDivisor, let finalDivisor):
            let (top, last) = (warmupFraction * Double(steps) - 1, Double(steps) - 1)
            let initial = maximum / initialDivisor
            // A rise or a fall of no length is left out.
            if t <= top, top > 0 { return Self.cosine(from: initial, to: maximum, at: t / top) }
            let fallen = last > top ? (t - top) / (last - top) : 1
            return Self.cosine(from: maximum, to: initial / finalDivisor, at: fallen)
        }
    }

    private static func periods(_ t: Double, _ steps: Int, _ staircase: Bool) -> Double {
        let periods = t / Double(steps)
        return staircase ? periods.rounded(.down) : periods
    }

    /// Which of periods of the lengths 1, `growth`, `growth`² … a time is in, and at which fraction of it.
    private static func period(of time: Double, growth: Double) -> (number: Double, fraction: Double) {
        if growth == 1 { return (time.rounded(.down), time - time.rounded(.down)) }
        // The periods before the n-th take (gⁿ - 1) / (g - 1). Where one begins, all this may round to either side of.
        func start(_ number: Double) -> Double { expm1(number * log(growth)) / (growth - 1) }
        var number = (log1p(time * (growth - 1)) / log(growth)).rounded(.down)
        let latest = time * (1 + 1e-12)
        if start(number + 1) <= latest { number += 1 } else if start(number) > latest { number -= 1 }
        return (number, min(max((time - start(number)) / pow(growth, number), 0), 1))
    }

    /// Half a cosine from `start` at the fraction 0 to `end` at 1 and after.
    private static func cosine(from start: Double, to end: Double, at fraction: Double) -> Double {
        end + (start - end) * (1 + cos(.pi * min(fraction, 1))) / 2
    }
}

extension LearningRateSchedule {
    /// The name of the schedule, such as `cosineDecay`.
    public var name: String {
        switch self {
        case .constant: "constant"
        case .piecewiseConstant: "piecewiseConstant"
        case .exponentialDecay: "exponentialDecay"
        case .inverseTimeDecay: "inverseTimeDecay"
        case .polynomialDecay: "polynomialDecay"
        case .cosineDecay: "cosineDecay"
        case .cosineDecayRestarts: "cosineDecayRestarts"
        case .oneCycle: "oneCycle"
        }
    }

    /// - Throws: `TrainingError.invalidArgument` for a setting outside its range.
    public func checkSettings() throws {
        switch self {
        case .constant(let rate):
            try checkNotNegative("rate", rate)
        case .piecewiseConstant(let boundaries, let values):
            guard zip(boundaries, boundaries.dropFirst()).allSatisfy({ $0 < $1 }), boundaries.first ?? 0 >= 0
            else { throw invalid("boundaries", boundaries, "ascending steps that are not negative") }
            guard values.count == boundaries.count + 1 else {
                throw invalid("values", values, "\(boundaries.count + 1) rates, one more than boundaries")
            }
            for value in values { try checkNotNegative("values", value) }
        case .exponentialDecay(let initial, let steps, let rate, _),
            .inverseTimeDecay(let initial, let steps, let rate, _):
            try checkNotNegative("initialLearningRate", initial)
            try checkSteps("decaySteps", steps)
            try checkNotNegative("decayRate", rate)
        case .polynomialDecay(let initial, let steps, let end, let power, _):
            try checkNotNegative("initialLearningRate", initial)
            try checkSteps("decaySteps", steps)
            try checkNotNegative("endLearningRate", end)
            try checkPositive("power", power)
        case .cosineDecay(let initial, let steps, let alpha, let target, let warmupSteps):
            try checkNotNegative("initialLearningRate", initial)
            try checkSteps("decaySteps", steps)
            try checkFraction("alpha", alpha)
            if let target { try checkNotNegative("warmupTarget", target) }
            guard warmupSteps >= 0, target != nil || warmupSteps == 0 else {
                throw invalid(
                    "warmupSteps", warmupSteps, "a number that is not negative, and 0 without a warmupTarget")
            }
        case .cosineDecayRestarts(let initial, let steps, let tMul, let mMul, let alpha):
            try checkNotNegative("initialLearningRate", initial)
            try checkSteps("firstDecaySteps", steps)
            guard tMul.isFinite, tMul >= 1 else { throw invalid("tMul", tMul, "a number of at least 1") }
            try checkNotNegative("mMul", mMul)
            try checkFraction("alpha", alpha)
        case .oneCycle(let maximum, let steps, let warmupFraction, let initialDivisor, let finalDivisor):
            try checkNotNegative("maximumLearningRate", maximum)
            try checkSteps("totalSteps", steps)
            try checkFraction("warmupFraction", warmupFraction)
            try checkPositive("initialDivisor", initialDivisor)
            try checkPositive("finalDivisor", finalDivisor)
        }
    }

    private func invalid(_ setting: String, _ value: some Any, _ expected: String) -> TrainingError {
        .invalidArgument("\(setting) of the schedule \(name)", "\(value)", expected: expected)
    }

    private func checkNotNegative(_ setting: String, _ value: Double) throws {
        guard value.isFinite, value >= 0 else {
            throw invalid(setting, value, "a number that is not negative")
        }
    }

    private func checkPositive(_ setting: String, _ value: Double) throws {
        guard value.isFinite, value > 0 else { throw invalid(setting, value, "a positive number") }
    }

    private func checkFraction(_ setting: String, _ value: Double) throws {
        guard (0...1).contains(value) else { throw invalid(setting, value, "a number in 0...1") }
    }

    private func checkSteps(_ setting: String, _ value: Int) throws {
        guard value > 0 else { throw invalid(setting, value, "a positive number of steps") }
    }
}
