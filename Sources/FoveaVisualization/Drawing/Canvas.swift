import CDrawing
import FoveaPictures

/// Where a figure is drawn: pixels, or an SVG or PDF document. Lengths are points of 1/72 inch, from the upper left corner to the
/// right and down. Used by one thread, as it is made, drawn on and finished in one call.
final class Canvas {
    enum Form { case pixels, svg, pdf }

    let width: Double
    let height: Double
    /// Nothing is drawn on whole pixels where there are none.
    private let pixelsPerPoint: Double?
    private let drawing: OpaquePointer
    /// Whether an image was drawn that is larger than its pixels, which are to be seen as squares.
    private(set) var hasSharpImages = false
    /// Whether an image was drawn whose pixels run into each other.
    private(set) var hasSmoothImages = false

    /// - Throws: `VisualizationError` when the drawing library is missing or there is not enough memory.
    init(_ form: Form, width: Double, height: Double, pixelsPerPoint: Double) throws(VisualizationError) {
        var status = fovea_drawing_status.succeeded
        var message = CMessage()
        let cForm: fovea_drawing_form =
            switch form {
            case .pixels: .pixels
            case .svg: .svg
            case .pdf: .pdf
            }
        let drawing = message.fill {
            fovea_drawing_create(cForm, width, height, pixelsPerPoint, &status, $0)
        }
        guard let drawing else { throw VisualizationError(status, message.text) }
        self.drawing = drawing
        self.width = width
        self.height = height
        self.pixelsPerPoint = form == .pixels ? pixelsPerPoint : nil
    }

    deinit { fovea_drawing_release(drawing) }

    /// Ends the drawing: the bytes of the document, or red, green and blue of each pixel.
    ///
    /// - Throws: `VisualizationError` for whatever failed since the canvas was made.
    func finish() throws(VisualizationError) -> [UInt8] {
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        var message = CMessage()
        let status = message.fill { fovea_drawing_finish(drawing, &bytes, &count, $0) }
        guard status == .succeeded, let bytes else {
            throw VisualizationError(status, message.text)
        }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    // MARK: State

    /// Draws with another origin and angle, which end with it.
    ///
    /// - Parameters:
    ///   - angle: in degrees, clockwise.
    func moved(x: Double, y: Double, angle: Double = 0, _ draw: () -> Void) {
        fovea_drawing_save(drawing)
        fovea_drawing_translate(drawing, x, y)
        if angle != 0 { fovea_drawing_rotate(drawing, angle * .pi / 180) }
        draw()
        fovea_drawing_restore(drawing)
    }

    /// Draws only what is inside a box.
    func clipped(to box: Box, _ draw: () -> Void) {
        fovea_drawing_save(drawing)
        fovea_drawing_clip(drawing, box.x, box.y, box.width, box.height)
        draw()
        fovea_drawing_restore(drawing)
    }

    // MARK: Lines and areas

    /// Draws a line through points that lie near the canvas.
    func stroke(_ points: [(x: Double, y: Double)], _ stroke: Stroke, isClosed: Bool = false) {
        guard points.count > 1 else { return }
        fovea_drawing_move_to(drawing, points[0].x, points[0].y)
        for point in points.dropFirst() { fovea_drawing_line_to(drawing, point.x, point.y) }
        if isClosed { fovea_drawing_close(drawing) }
        draw(stroke)
    }

    /// Draws straight lines across or down, of whole pixels where there are pixels, so that they are not blurred.
    func straightLines(_ lines: [(x1: Double, y1: Double, x2: Double, y2: Double)], _ stroke: Stroke) {
        var stroke = stroke
        var pixels = 0
        if let pixelsPerPoint {
            pixels = max(1, Int((stroke.width * pixelsPerPoint).rounded()))
            stroke.width = Double(pixels) / pixelsPerPoint
        }
        func snapped(_ place: Double) -> Double { snappedPlace(place, toCenters: pixels % 2 == 1) }
        for line in lines {
            fovea_drawing_move_to(drawing, snapped(line.x1), snapped(line.y1))
            fovea_drawing_line_to(drawing, snapped(line.x2), snapped(line.y2))
        }
        draw(stroke)
    }

    func strokeBox(_ box: Box, _ stroke: Stroke) {
        // Each side ends where the next one begins; lines cut off at their ends would leave the corners open.
        let half = stroke.width / 2
        straightLines(
            [
                (box.x - half, box.y, box.right + half, box.y),
                (box.x - half, box.bottom, box.right + half, box.bottom),
                (box.x, box.y, box.x, box.bottom), (box.right, box.y, box.right, box.bottom),
            ], stroke)
    }

    func fill(_ box: Box, _ color: Figure.Color) {
        let box = snapped(box)
        fovea_drawing_add_rectangle(drawing, box.x, box.y, box.width, box.height)
        fovea_drawing_fill(drawing, color.c)
    }

    func fill(_ points: [(x: Double, y: Double)], _ color: Figure.Color) {
        guard let first = points.first else { return }
        fovea_drawing_move_to(drawing, first.x, first.y)
        for point in points.dropFirst() { fovea_drawing_line_to(drawing, point.x, point.y) }
        fovea_drawing_close(drawing)
        fovea_drawing_fill(drawing, color.c)
    }

    func fillCircle(x: Double, y: Double, radius: Double, _ color: Figure.Color) {
        fovea_drawing_add_circle(drawing, x, y, radius)
        fovea_drawing_fill(drawing, color.c)
    }

    func strokeCircle(x: Double, y: Double, radius: Double, _ stroke: Stroke) {
        fovea_drawing_add_circle(drawing, x, y, radius)
        draw(stroke)
    }

    private func draw(_ stroke: Stroke) {
        var c = stroke.c
        fovea_drawing_draw_stroke(drawing, &c)
    }

    // MARK: Images

    /// Draws pixels into a box of whole pixels.
    ///
    /// - Parameter isSmooth: whether enlarged pixels run into each other. What is made smaller is averaged in any case.
    func image(_ image: RGBAImage, in box: Box, isSmooth: Bool) {
        let box = snapped(box)
        guard box.width > 0, box.height > 0, image.width > 0, image.height > 0 else { return }
        var isSmooth = isSmooth
        if let pixelsPerPoint, box.width * pixelsPerPoint < Double(image.width) - 0.5 { isSmooth = true }
        // A document is seen on a screen that has about two pixels for a point.
        if pixelsPerPoint == nil, box.width * 2 < Double(image.width) { isSmooth = true }
        if isSmooth { hasSmoothImages = true } else { hasSharpImages = true }
        image.pixels.withUnsafeBufferPointer { pixels in
            fovea_drawing_image(
                drawing, pixels.baseAddress, Int32(image.width), Int32(image.height), box.x, box.y, box.width,
                box.height, isSmooth ? 1 : 0)
        }
    }

    // MARK: Text

    /// What a text takes up. Of each line's height, the font's space above and below is part.
    func size(of text: String, _ style: TextStyle) -> TextSize {
        guard !text.isEmpty else { return TextSize() }
        let size = style.withC(text) { fovea_drawing_measure(drawing, $0) }
        return TextSize(width: size.width, height: size.height, baseline: size.baseline)
    }

    /// Draws a text so that the point of it that `anchor` names lies at a place.
    ///
    /// - Parameter angle: in degrees, clockwise, about that point.
    func text(
        _ text: String, x: Double, y: Double, anchor: Anchor = Anchor(.left, .top), angle: Double = 0,
        _ style: TextStyle, _ color: Figure.Color
    ) {
        guard !text.isEmpty else { return }
        let size = size(of: text, style)
        moved(x: x, y: y, angle: angle) {
            style.withC(text) {
                fovea_drawing_draw_text(
                    drawing, $0, color.c, -anchor.left(of: size), -anchor.top(of: size))
            }
        }
    }

    // MARK: Pixels

    private func snapped(_ box: Box) -> Box {
        guard pixelsPerPoint != nil else { return box }
        let (left, top) = (snappedPlace(box.x), snappedPlace(box.y))
        return Box(
            x: left, y: top, width: snappedPlace(box.right) - left, height: snappedPlace(box.bottom) - top)
    }

    private func snappedPlace(_ place: Double, toCenters: Bool = false) -> Double {
        guard let pixelsPerPoint else { return place }
        let shift = toCenters ? 0.5 : 0
        return ((place * pixelsPerPoint - shift).rounded() + shift) / pixelsPerPoint
    }
}

/// How a line is drawn.
struct Stroke {
    var color: Figure.Color
    /// In points.
    var width: Double
    var pattern = Mark.LinePattern.solid
    /// Whether ends and corners are round.
    var isRound = false

    fileprivate var c: fovea_drawing_stroke {
        let dashes = pattern.dashes(width: width)
        var stroke = fovea_drawing_stroke()
        stroke.color = color.c
        stroke.width = width
        stroke.dash_count = Int32(dashes.count)
        withUnsafeMutableBytes(of: &stroke.dashes) { target in
            dashes.withUnsafeBytes { target.copyMemory(from: $0) }
        }
        // Round ends would fill the gaps of dots.
        stroke.is_round = isRound && dashes.isEmpty ? 1 : 0
        return stroke
    }
}

/// Red, green, blue and alpha of each pixel, rows from top to bottom.
struct RGBAImage {
    var width: Int
    var height: Int
    var pixels: [UInt8]

    /// With the last row first.
    var upsideDown: RGBAImage {
        let length = 4 * width
        var turned: [UInt8] = []
        turned.reserveCapacity(pixels.count)
        for row in (0..<height).reversed() { turned += pixels[row * length..<(row + 1) * length] }
        return RGBAImage(width: width, height: height, pixels: turned)
    }
}
