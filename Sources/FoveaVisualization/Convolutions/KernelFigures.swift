import FoveaGraph
import FoveaSignal

extension Figure {
    /// Kernels side by side: positive numbers red, negative ones blue, zero white; numbers are written in where they have room.
    ///
    /// - Parameters:
    ///   - kernels: `[height, width]`, each with what stands above it.
    ///   - columns: how many stand beside each other.
    /// - Throws: `VisualizationError` when there is none, or one of another shape.
    public static func kernels(
        _ kernels: [(name: String, values: TensorValue)], columns: Int = 4
    ) throws(VisualizationError) -> Figure {
        guard !kernels.isEmpty else { throw VisualizationError(.noData, "there are no kernels to be shown") }
        var panels: [Panel] = []
        for (name, values) in kernels {
            guard values.shape.rank == 2, values.shape.elementCount > 0 else {
                throw VisualizationError(
                    .wrongShape,
                    "kernel '\(name)' has the shape \(values.shape); expected [height, width], such as one channel of a layer's kernel"
                )
            }
            panels.append(kernelPanel(name, values, WindowFigure.balancedLimits(of: values)))
        }
        return Figure(panels, columns: min(columns, panels.count))
    }

    /// The kernels of a convolution, a cell for each filter: in colour where images have three channels, the mean over the channels
    /// where they have others. Each filter is brought to the same contrast.
    ///
    /// - Parameters:
    ///   - kernel: `[height, width, channels, filters]`, as `Conv2D` has it.
    ///   - columns: how many stand beside each other; about as many as below each other when nil.
    ///   - limit: at most so many filters, the first ones.
    /// - Throws: `VisualizationError` for another shape.
    public static func filters(
        of kernel: TensorValue, columns: Int? = nil, limit: Int = 256
    ) throws(VisualizationError) -> Figure {
        guard kernel.shape.rank == 4, kernel.shape.elementCount > 0, limit > 0 else {
            throw VisualizationError(
                .wrongShape,
                "kernels of the shape \(kernel.shape) are not those of a convolution; expected [height, width, channels, filters]"
            )
        }
        let (height, width) = (kernel.shape[0], kernel.shape[1])
        let (channels, filters) = (kernel.shape[2], kernel.shape[3])
        let shown = min(filters, limit)
        let columns = max(1, min(columns ?? Int(Double(shown).squareRoot().rounded(.up)), shown))
        let rows = (shown + columns - 1) / columns
        let samples = channels == 3 ? 3 : 1
        let elements = kernel.floats
        // A line of NaN, or of nothing in colours, between filters.
        let (gridHeight, gridWidth) = (rows * (height + 1) - 1, columns * (width + 1) - 1)
        let depth = samples == 3 ? 4 : 1
        var grid = [Double](repeating: samples == 3 ? 0 : .nan, count: gridHeight * gridWidth * depth)
        for filter in 0..<shown {
            var values = [Double](repeating: 0, count: height * width * samples)
            for place in 0..<height * width {
                for channel in 0..<channels {
                    let element = Double(elements[(place * channels + channel) * filters + filter])
                    if samples == 3 {
                        values[place * 3 + channel] = element
                    } else {
                        values[place] += element / Double(channels)
                    }
                }
            }
            let largest = values.filter(\.isFinite).map(\.magnitude).max() ?? 0
            let (top, left) = (filter / columns * (height + 1), filter % columns * (width + 1))
            for place in 0..<height * width {
                let home = (top + place / width) * gridWidth + left + place % width
                for sample in 0..<samples {
                    let share = largest > 0 ? values[place * samples + sample] / largest : 0
                    grid[home * depth + sample] = samples == 3 ? 0.5 + 0.5 * share : share
                }
                if depth == 4 { grid[home * depth + 3] = 1 }
            }
        }
        let image = TensorValue(
            shape: samples == 3 ? [gridHeight, gridWidth, 4] : [gridHeight, gridWidth], dtype: .float32,
            doubles: grid)
        let mark: Mark =
            samples == 3 ? .image(image) : .image(image, colorMap: .seismic, limits: -1...1)
        let title = shown < filters ? "\(shown) of \(filters) filters" : "\(filters) filters"
        var panel = Panel(title: "\(title), \(height)×\(width)", [mark])
        panel.hasAxes = false
        let cell = max(0.3, min(0.6, 9 / Double(columns)))
        return Figure(
            [panel],
            size: (max(2, cell * Double(columns)) + 0.2, max(0.6, cell * Double(rows)) + 0.45))
    }

    static func kernelPanel(_ title: String, _ values: TensorValue, _ limits: ClosedRange<Double>) -> Panel {
        var panel = Panel(
            title: title, [WindowFigure.cells(values, colorMap: .seismic, limits: limits)])
        panel.hasAxes = false
        return panel
    }
}
