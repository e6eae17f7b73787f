extension Mark {
    /// A matrix: each number written in a cell with its colour, row 0 at the top. Cells that are too small for their numbers have
    /// colours only.
    ///
    /// - Parameters:
    ///   - values: `[rows, columns]`; NaN has an empty cell.
    ///   - texts: what stands in the cells instead of the numbers, row by row, as many; nil for the numbers.
    ///   - decimals: how many digits numbers have behind the point; as many as they need, at most three, when nil.
    ///   - colorMap: which colours stand for numbers.
    ///   - limits: the numbers of the first and the last colour; from the smallest to the largest when nil.
    ///   - highlighted: a cell (row, column) that has a frame, such as the one that is being computed.
    public static func matrix(
        _ values: any FigureData, texts: [String]? = nil, decimals: Int? = nil,
        colorMap: ColorMap = .viridis, limits: ClosedRange<Double>? = nil,
        highlighted: [(row: Int, column: Int)] = []
    ) -> Mark {
        Mark(
            MatrixMark(
                image: ImageNumbers(values.figureNumbers, colorMap: colorMap, limits: limits), texts: texts,
                decimals: decimals, highlighted: highlighted))
    }
}

private struct MatrixMark: DrawnMark {
    let image: ImageNumbers
    let texts: [String]?
    let decimals: Int?
    let highlighted: [(row: Int, column: Int)]

    var isImage: Bool { true }
    var colors: ColorRange? { ColorRange(map: image.map, limits: image.limits) }

    func check(_ panel: String, _ x: Panel.Scale, _ y: Panel.Scale) throws(VisualizationError) {
        guard image.data.extents.count == 2 else {
            throw VisualizationError(
                .wrongShape,
                "\(panel): numbers of shape \(image.data.shapeText) are no matrix; expected [rows, columns]")
        }
        try image.check(panel)
        if let texts, texts.count != image.data.count {
            throw VisualizationError(
                .wrongShape,
                "\(panel): \(texts.count) texts for a matrix of shape \(image.data.shapeText); each cell needs one"
            )
        }
        guard x == .linear, y == .linear else {
            throw VisualizationError(.invalidArgument, "\(panel): a matrix needs linear axes")
        }
    }

    func extents(_ x: Panel.Scale, _ y: Panel.Scale) -> (x: AxisExtent, y: AxisExtent) {
        func tight(_ count: Int) -> AxisExtent {
            let ends = [-0.5, Double(count) - 0.5]
            var extent = AxisExtent(ends, .linear)
            extent.edges = ends
            return extent
        }
        return (tight(image.width), tight(image.height))
    }

    func draw(in area: PlotArea) {
        guard let whole = cell(area, 0..<image.height, 0..<image.width), whole.width < 1e5, whole.height < 1e5
        else { return }
        var pixels = image.pixels(opacity: 1, missing: area.theme.missing)
        let colors = pixels.pixels
        if area.y.start > area.y.end { pixels = pixels.upsideDown }
        area.canvas.image(pixels, in: whole, isSmooth: false)
        write(in: area, colors)
        let stroke = Stroke(color: area.theme.wrong, width: 2)
        for (row, column) in highlighted {
            if let box = cell(area, row..<row + 1, column..<column + 1) { area.canvas.strokeBox(box, stroke) }
        }
    }

    private func write(in area: PlotArea, _ colors: [UInt8]) {
        let numbers = image.data.numbers
        // Thousands of numbers are no text that anyone reads, and looking whether they fit takes its time.
        guard numbers.count <= 4_096, let first = cell(area, 0..<1, 0..<1), first.height >= 7 else { return }
        let digits = decimals ?? neededDecimals(numbers)
        let texts = texts ?? numbers.map { $0.isNaN ? "" : fixedPoint($0, decimals: digits) }
        let widest = texts.max { $0.count < $1.count } ?? ""
        var style = TextStyle(size: min(10, first.height * 0.5), alignment: .center)
        let room = first.width * 0.9
        let width = area.canvas.size(of: widest, style).width
        if width > room { style.size *= room / width }
        guard style.size >= 4 else { return }
        for (index, text) in texts.enumerated() where !text.isEmpty {
            let (row, column) = index.quotientAndRemainder(dividingBy: image.width)
            guard let box = cell(area, row..<row + 1, column..<column + 1),
                area.box.contains(x: box.center, y: box.middle)
            else { continue }
            let background = Figure.Color(
                red: Double(colors[4 * index]) / 255, green: Double(colors[4 * index + 1]) / 255,
                blue: Double(colors[4 * index + 2]) / 255)
            area.canvas.text(
                text, x: box.center, y: box.middle, anchor: Anchor(.center, .middle), style,
                background.readable)
        }
    }

    private func cell(_ area: PlotArea, _ rows: Range<Int>, _ columns: Range<Int>) -> Box? {
        area.box(
            x: Double(columns.lowerBound) - 0.5...Double(columns.upperBound) - 0.5,
            y: Double(rows.lowerBound) - 0.5...Double(rows.upperBound) - 0.5)
    }

    private func neededDecimals(_ numbers: [Double]) -> Int {
        (0..<3).first { digits in
            let scale = powerOfTen(digits)
            return numbers.allSatisfy {
                !$0.isFinite || ($0 * scale - ($0 * scale).rounded()).magnitude < 1e-6 * scale
            }
        } ?? 3
    }
}
