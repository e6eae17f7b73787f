import FoveaGraph
import FoveaPictures
import FoveaSignal

extension ConvolutionSteps {
    /// One step of the convolution as a picture: the window on the image, the kernel, what is multiplied, what that sums to, and the
    /// output so far.
    ///
    /// - Parameters:
    ///   - step: which one, from 0.
    ///   - image: the image of which these are the steps.
    /// - Throws: `VisualizationError` for a step that there is not, and an image of another shape.
    public func plot(step: Int, image: TensorValue) throws(VisualizationError) -> Figure {
        try check(step, of: steps.count, image, "a convolution")
        let window = WindowFigure(
            image: image, window: Size2D(kernel.count, kernel[0].count),
            places: steps.map { ($0.top, $0.left) }, output: output)
        let now = steps[step]
        let colors = kernel.joined().allSatisfy { $0 >= 0 } ? ColorMap.gray : .seismic
        func panel(_ title: String, _ rows: [[Float]]) -> Panel {
            let numbers = TensorValue(
                shape: [rows.count, rows[0].count], dtype: .float32, doubles: rows.joined().map(Double.init))
            let mark =
                colors == .gray
                ? WindowFigure.cells(numbers)
                : WindowFigure.cells(
                    numbers, colorMap: colors, limits: WindowFigure.balancedLimits(of: numbers))
            var panel = Panel(title: title, [mark])
            panel.hasAxes = false
            return panel
        }
        return Figure(
            [
                window.imagePanel(at: step), panel("kernel", kernel),
                panel("products: sum \(Self.text(now.sum))", now.products),
                window.outputPanel(at: step),
            ], columns: 4, title: "step \(step + 1) of \(steps.count)", size: (12, 3.6))
    }

    /// The convolution as an animation, a frame for each step.
    ///
    /// - Parameters:
    ///   - image: the image of which these are the steps.
    ///   - frames: at most so many frames, for which steps are left out evenly; the last one is always there.
    ///   - secondsPerFrame: how long each is shown.
    ///   - theme: which colours there are.
    ///   - dpi: pixels per inch of its 12 × 3.6 inches.
    /// - Throws: as `plot(step:image:)`; `PictureError` when frames have too many pixels in all.
    public func animation(
        of image: TensorValue, frames: Int = 100, secondsPerFrame: Double = 0.4, theme: Figure.Theme = .light,
        dpi: Double = 70
    ) throws -> Animation {
        let chosen = try evenSteps(steps.count, atMost: frames).map { try plot(step: $0, image: image) }
        return try Animation(chosen, secondsPerFrame: secondsPerFrame, theme: theme, dpi: dpi)
    }
}

extension PoolingSteps {
    /// One step of the pooling as a picture: the window on the image, what is under it, and the output so far.
    ///
    /// - Parameters: as for a convolution.
    /// - Throws: as for a convolution.
    public func plot(step: Int, image: TensorValue) throws(VisualizationError) -> Figure {
        try check(step, of: steps.count, image, "a pooling")
        let window = WindowFigure(
            image: image, window: poolSize, places: steps.map { ($0.top, $0.left) }, output: output)
        let patch = steps[step].patch
        let numbers = TensorValue(
            shape: [patch.count, patch[0].count], dtype: .float32, doubles: patch.joined().map(Double.init))
        var under = Panel(
            title: "\(kind.rawValue): \(ConvolutionSteps.text(steps[step].result))",
            [WindowFigure.cells(numbers)])
        under.hasAxes = false
        return Figure(
            [window.imagePanel(at: step), under, window.outputPanel(at: step)], columns: 3,
            title: "step \(step + 1) of \(steps.count)", size: (9, 3.6))
    }

    /// The pooling as an animation, a frame for each step.
    ///
    /// - Parameters: as for a convolution.
    /// - Throws: as for a convolution.
    public func animation(
        of image: TensorValue, frames: Int = 100, secondsPerFrame: Double = 0.6, theme: Figure.Theme = .light,
        dpi: Double = 70
    ) throws -> Animation {
        let chosen = try evenSteps(steps.count, atMost: frames).map { try plot(step: $0, image: image) }
        return try Animation(chosen, secondsPerFrame: secondsPerFrame, theme: theme, dpi: dpi)
    }
}

private func check(
    _ step: Int, of count: Int, _ image: TensorValue, _ name: String
) throws(VisualizationError) {
    guard image.shape.rank == 2, image.shape.elementCount > 0 else {
        throw VisualizationError(
            .wrongShape,
            "the steps of \(name) are shown on the image [height, width] that they are of, not on one of shape \(image.shape)"
        )
    }
    guard (0..<count).contains(step) else {
        throw VisualizationError(
            .invalidArgument, "there are steps 0 to \(count - 1), but step \(step) is asked for")
    }
}

/// At most so many of the numbers below `count`, evenly, the last one always.
private func evenSteps(_ count: Int, atMost limit: Int) -> [Int] {
    guard limit >= 1, count > limit else { return Array(0..<count) }
    return (1...limit).map { $0 * count / limit - 1 }
}

extension Animation {
    fileprivate init(
        _ figures: [Figure], secondsPerFrame: Double, theme: Figure.Theme, dpi: Double
    ) throws {
        let frames = try figures.map { figure in
            var figure = figure
            (figure.theme, figure.dpi) = (theme, dpi)
            return try figure.picture()
        }
        try self.init(frames, secondsPerFrame: secondsPerFrame)
    }
}
