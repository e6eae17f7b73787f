import FoveaGraph

/// How it is told which parts of an input decided.
///
/// Gradients are those of the class's score in inference mode (`ClassScore`), for which the model's parameters, frozen or not, are
/// constants.
public enum AttributionMethod: Hashable, Sendable {
    /// `ReLU(Σₖ wₖ Aₖ)` over the feature maps `A` of a layer, weighted by the mean of the score's gradient over each map.
    /// Selvaraju et al. 2017, "Grad-CAM", arXiv:1610.02391.
    case gradCAM
    /// As Grad-CAM, with weights `Σ α ReLU(g)`, `α = g² / (2g² + g³ Σ A)`, which count every occurrence of an object:
    /// those for the exponential of the score. Chattopadhay et al. 2018, "Grad-CAM++", arXiv:1710.11063.
    case gradCAMPlusPlus
    /// As Grad-CAM, with weights that need no gradient: the softmax over `k` of the score of the input seen through map `Aₖ`, enlarged
    /// and scaled to 0…1; maps that are the same everywhere are left out. Needs as many runs as the layer has channels. Wang et al.
    /// 2020, "Score-CAM", arXiv:1910.01279.
    case scoreCAM
    /// `ReLU(Σₖ wₖ Aₖ)` with the weights of the dense layer behind a global average pooling, for networks that end so.
    /// Negative parts are cut off as in Grad-CAM, which is the same there. Zhou et al. 2016, "Learning deep features for
    /// discriminative localization", arXiv:1512.04150.
    case cam
    /// The score's gradient with respect to the input. The map has the largest magnitude of a pixel's channels. Simonyan
    /// et al. 2013, "Deep inside convolutional networks", arXiv:1312.6034.
    case gradient
    /// As `gradient`, but ReLUs pass back only what is positive, both on the way forward and on the way back. That is so for every
    /// rectifier in the graph, also inside functions made of one (ReLU6, ELU, PReLU, softplus). Springenberg et al. 2014,
    /// "Striving for simplicity", arXiv:1412.6806.
    case guidedBackpropagation
    /// `(x - x′) · mean gradient` on the straight way from a baseline `x′` to the input `x`, at the middles of `steps` equal
    /// parts of it. Signed: the sum over all numbers is the difference of the scores, but for what the steps leave out.
    /// Sundararajan et al. 2017, "Axiomatic attribution for deep networks", arXiv:1703.01365.
    ///
    /// - `baseline`: every number of `x′`, 0 for black.
    case integratedGradients(steps: Int = 50, baseline: Float = 0)
    /// The mean of `gradient` over inputs with normal noise. Smilkov et al. 2017, "SmoothGrad", arXiv:1706.03825.
    ///
    /// - `noise`: its deviation as a part of the input's range, from the least to the greatest number.
    case smoothGrad(samples: Int = 50, noise: Float = 0.15)
    /// How much the score falls when a window of the input is covered, the mean of all windows over a pixel. Signed: where the
    /// score rises, the number is negative. Zeiler and Fergus 2013, "Visualizing and understanding convolutional networks",
    /// arXiv:1311.2901.
    ///
    /// - `window`: in pixels; an eighth of the input when nil. Of sequences the width counts.
    /// - `stride`: from one window to the next; half of the window when nil.
    /// - `fill`: what every number under the window becomes.
    case occlusion(window: Size2D? = nil, stride: Size2D? = nil, fill: Float = 0.5)

    /// Every method with its usual settings.
    public static let all: [AttributionMethod] = [
        .gradCAM, .gradCAMPlusPlus, .scoreCAM, .cam, .gradient, .guidedBackpropagation,
        .integratedGradients(), .smoothGrad(), .occlusion(),
    ]

    /// What it is called, such as `grad-cam`.
    public var name: String {
        switch self {
        case .gradCAM: "grad-cam"
        case .gradCAMPlusPlus: "grad-cam++"
        case .scoreCAM: "score-cam"
        case .cam: "cam"
        case .gradient: "gradient"
        case .guidedBackpropagation: "guided-backpropagation"
        case .integratedGradients: "integrated-gradients"
        case .smoothGrad: "smoothgrad"
        case .occlusion: "occlusion"
        }
    }

    /// Whether its maps say also what spoke against the class, by negative numbers.
    public var isSigned: Bool {
        switch self {
        case .integratedGradients, .occlusion: true
        default: false
        }
    }

    /// Whether it looks at the features of a layer.
    public var usesLayer: Bool {
        switch self {
        case .gradCAM, .gradCAMPlusPlus, .scoreCAM, .cam: true
        default: false
        }
    }

    /// - Throws: `InsightError.invalidArgument` for a setting outside its range.
    func check() throws {
        func check(_ setting: String, _ value: some Comparable, _ isRight: Bool, _ expected: String) throws {
            if isRight { return }
            throw InsightError.invalidArgument("\(setting) of \(name)", "\(value)", expected: expected)
        }
        let counts = 1...100_000
        switch self {
        case .integratedGradients(let steps, let baseline):
            try check("steps", steps, counts.contains(steps), "from 1 to \(counts.upperBound)")
            try check("baseline", baseline, baseline.isFinite, "a finite number")
        case .smoothGrad(let samples, let noise):
            try check("samples", samples, counts.contains(samples), "from 1 to \(counts.upperBound)")
            try check("noise", noise, noise >= 0 && noise.isFinite, "not negative, such as 0.15")
        case .occlusion(let window, let stride, let fill):
            for (what, size) in [("window", window), ("stride", stride)] {
                if let size, !size.isPositive {
                    throw InsightError.invalidArgument(
                        "\(what) of \(name)", "\(size)", expected: "positive")
                }
            }
            try check("fill", fill, fill.isFinite, "a finite number")
        default: break
        }
    }
}
