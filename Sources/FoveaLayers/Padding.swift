import FoveaGraph

/// What can be done at the border under a moving window: `Padding` or `Padding1D`.
public protocol WindowPadding: RawRepresentable, CaseIterable, Hashable, Sendable where RawValue == String {
    /// Nothing: the window stays inside.
    static var valid: Self { get }

    /// What is put around images under such a window.
    func border(of images: Size2D, under window: SlidingWindow) -> Padding2D
}

/// What is done at the border of an image under a moving window.
public enum Padding: String, WindowPadding {
    /// Nothing: the window stays inside, `floor((size - window) / stride) + 1` outputs.
    case valid
    /// The border is widened to give `ceil(size / stride)` outputs, the odd row or column at the end.
    case same

    public func border(of images: Size2D, under window: SlidingWindow) -> Padding2D {
        switch self {
        case .valid: .none
        case .same:
            .same(
                input: images, window: window.window, strides: window.strides, dilations: window.dilations)
        }
    }
}

/// What is done at the ends of a sequence under a moving window.
public enum Padding1D: String, WindowPadding {
    /// Nothing: the window stays inside, `floor((steps - window) / stride) + 1` outputs.
    case valid
    /// The ends are widened to give `ceil(steps / stride)` outputs, the odd step at the end.
    case same
    /// The start is widened by all but one step of the window, so that no output sees a later step than its own.
    /// van den Oord et al. 2016, arXiv:1609.03499.
    case causal

    public func border(of images: Size2D, under window: SlidingWindow) -> Padding2D {
        switch self {
        case .valid: Padding.valid.border(of: images, under: window)
        case .same: Padding.same.border(of: images, under: window)
        case .causal: Padding2D(left: (window.window.width - 1) * window.dilations.width)
        }
    }
}
