import FoveaGraph
import FoveaTraining

/// How inputs are changed so that something in a model becomes larger.
///
/// Erhan et al. 2009, "Visualizing higher-layer features of a deep network".
public struct GradientAscent: Hashable, Sendable {
    /// What an image is made of.
    public enum Parameterization: Hashable, Sendable {
        /// Its pixels.
        case pixels
        /// Its frequencies: the coefficients of a cosine transform, each divided by its frequency to the power of `decay`, of
        /// decorrelated colours, through a sigmoid. Patterns then grow at all scales alike, where single pixels give noise.
        /// Olah, Mordvintsev and Schubert 2017, "Feature visualization", doi:10.23915/distill.00007, who take a Fourier transform.
        case frequencies(decay: Double = 1)
    }

    /// How a step follows from the gradient.
    public enum StepRule: Hashable, Sendable {
        /// `x ← x + stepSize · g / (√mean(g²) + 10⁻⁵)` for each image, in 8-bit levels: 1 is 1/255 of the way from black to white.
        case normalized(stepSize: Double = 1)
        /// Adam, in units of what the image is made of.
        case adam(learningRate: Double = 0.05)
    }

    /// How many steps are taken.
    public var steps: Int
    public var parameterization: Parameterization
    public var rule: StepRule
    /// At each step the image is moved by up to so many pixels in every direction, anew at random. What only works at one place
    /// does not grow. Mordvintsev et al. 2015, "Inceptionism".
    public var jitter: Int
    /// At each step the image is enlarged or made smaller by up to this part, at random.
    public var zoom: Double
    /// How much the mean difference of neighbouring pixels is held down (total variation). Mahendran and Vedaldi 2014,
    /// "Understanding deep image representations by inverting them", arXiv:1412.0035.
    public var totalVariation: Double

    /// - Parameters:
    ///   - steps: how many steps are taken.
    ///   - parameterization: what an image is made of.
    ///   - rule: how a step follows from the gradient.
    ///   - jitter: in pixels.
    ///   - zoom: a part, such as 0.05.
    ///   - totalVariation: the weight of the penalty.
    public init(
        steps: Int, parameterization: Parameterization = .pixels, rule: StepRule = .normalized(),
        jitter: Int = 0, zoom: Double = 0, totalVariation: Double = 0
    ) {
        self.steps = steps
        self.parameterization = parameterization
        self.rule = rule
        self.jitter = jitter
        self.zoom = zoom
        self.totalVariation = totalVariation
    }

    /// Chollet's, "Deep learning with Python", section 5.4: 40 steps of 1 from grey noise, with gradients divided by the root of
    /// their mean square.
    public static let chollet = GradientAscent(steps: 40)

    /// Frequencies, jitter and zoom, by Adam: patterns are clear in deep layers, too.
    public static let robust = GradientAscent(
        steps: 256, parameterization: .frequencies(), rule: .adam(), jitter: 8, zoom: 0.05)

    /// How many pixels beyond the border of an image so large jitter and zoom may show.
    func margin(of extent: Int) -> Int {
        extent == 1 ? 0 : jitter + Int((zoom * Double(extent) / 2).rounded(.up))
    }

    /// - Throws: `InsightError.invalidArgument` for a setting outside its range.
    func check() throws {
        func check(_ name: String, _ value: Double, _ range: ClosedRange<Double>, _ expected: String) throws {
            guard range.contains(value) else {
                throw InsightError.invalidArgument(name, "\(value)", expected: expected)
            }
        }
        guard (1...1_000_000).contains(steps) else {
            throw InsightError.invalidArgument("steps", "\(steps)", expected: "from 1 to 1000000")
        }
        guard (0...1_000).contains(jitter) else {
            throw InsightError.invalidArgument("jitter", "\(jitter)", expected: "from 0 to 1000 pixels")
        }
        try check("zoom", zoom, 0...0.5, "from 0 to 0.5")
        try check("totalVariation", totalVariation, 0...1e6, "not negative")
        if case .frequencies(let decay) = parameterization { try check("decay", decay, 0...4, "from 0 to 4") }
        switch rule {
        case .normalized(let size): try check("stepSize", size, 1e-9...1e9, "positive")
        case .adam(let rate): try check("learningRate", rate, 1e-9...1e9, "positive")
        }
    }
}
