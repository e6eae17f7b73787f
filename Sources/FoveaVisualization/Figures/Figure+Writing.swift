import FoveaFiles
import FoveaPictures

extension Figure {
    /// What a figure is written as.
    public enum Format: String, CaseIterable, Hashable, Sendable {
        /// A picture of pixels.
        case png
        /// Lines and letters that can be enlarged.
        case svg
        /// One page of them.
        case pdf
    }

    /// Writes a figure to a file, whole or not at all, in the format that the ending of its name says: `.png`, `.svg` or `.pdf`.
    ///
    /// - Throws: `VisualizationError` for an ending that is none of these and when the figure cannot be drawn (``encoded(as:)``);
    ///   `FileError` when the file cannot be written.
    public func write(to file: some PathConvertible) throws {
        let format = try Self.format(of: file.filePath)
        try AtomicFile.write(encoded(as: format), to: file)
    }

    /// The format that the ending of a file's name says.
    ///
    /// - Throws: `VisualizationError` when it says none.
    package static func format(of path: String) throws(VisualizationError) -> Format {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let ending = parts.count > 1 ? parts.last.map { $0.lowercased() } ?? "" : ""
        guard let format = Format(rawValue: ending) else {
            throw VisualizationError(
                .invalidArgument,
                "\(path): figures are written as .png, .svg or .pdf, by the ending of the file's name"
                    + (ending.isEmpty ? ", which has none" : ", not as .\(ending)"))
        }
        return format
    }

    /// The bytes of a file with the figure. The same figure gives the same bytes on the same machine.
    ///
    /// - Throws: `VisualizationError` when there is nothing to draw, an argument of a panel or mark is out of range, a library or
    ///   font that drawing needs is missing, or the picture would be too large.
    public func encoded(as format: Format) throws -> [UInt8] {
        switch format {
        case .png: return [UInt8](try picture().pngData())
        case .svg:
            let canvas = try draw(on: canvas(.svg))
            let document = SVGDocument.withOwnNames(try canvas.finish())
            // Cairo says of no image how it is to be enlarged, and browsers blur.
            return canvas.hasSharpImages && !canvas.hasSmoothImages
                ? SVGDocument.withSharpImages(document) : document
        case .pdf: return try draw(on: canvas(.pdf)).finish()
        }
    }

    /// The figure as a picture of `size × dpi` pixels.
    ///
    /// - Throws: as ``encoded(as:)``.
    public func picture() throws -> Picture {
        try check()
        let (width, height) = pixels
        return try Picture(
            height: height, width: width, channels: 3, pixels: draw(on: canvas(.pixels)).finish())
    }

    /// Width and height in pixels.
    private var pixels: (width: Int, height: Int) {
        let inches = inches
        return (
            max(1, Int((inches.width * dpi).rounded())), max(1, Int((inches.height * dpi).rounded()))
        )
    }

    private func canvas(_ form: Canvas.Form) throws(VisualizationError) -> Canvas {
        try check()
        let inches = inches
        return try Canvas(
            form, width: inches.width * 72, height: inches.height * 72, pixelsPerPoint: dpi / 72)
    }

    /// No side of a picture that cairo draws has more pixels.
    private static let greatestSide = 32_767.0

    /// What would not make a figure.
    func check() throws(VisualizationError) {
        guard !panels.isEmpty else {
            throw VisualizationError(.noData, "the figure has no panels; give it at least one")
        }
        guard (1...10_000).contains(columns) else {
            throw VisualizationError(
                .invalidArgument, "a figure has 1 to 10,000 columns of panels, not \(columns)")
        }
        if let rowHeights {
            guard rowHeights.count == rows, rowHeights.allSatisfy({ $0 >= 1e-3 && $0 <= 1e3 }) else {
                throw VisualizationError(
                    .invalidArgument,
                    "the figure has \(rows) rows and rowHeights \(visible("\(rowHeights.prefix(20))")); there must be one number from "
                        + "0.001 to 1,000 for each row")
            }
        }
        let (width, height) = inches
        guard width >= 0.1, height >= 0.1, width <= 1_000, height <= 1_000 else {
            throw VisualizationError(
                .invalidArgument,
                "a figure has sides of 0.1 to 1,000 inches, not \(width) × \(height)")
        }
        guard dpi >= 1, dpi <= 10_000 else {
            throw VisualizationError(
                .invalidArgument, "a figure has 1 to 10,000 dots per inch, not \(dpi)")
        }
        let (pixelWidth, pixelHeight) = (width * dpi, height * dpi)
        guard max(pixelWidth, pixelHeight) <= Self.greatestSide,
            pixelWidth * pixelHeight <= Double(Picture.greatestPixelCount)
        else {
            throw VisualizationError(
                .tooLarge,
                "\(width) × \(height) inches at \(dpi) dots per inch are \(Int(pixelWidth))×\(Int(pixelHeight)) pixels; at most "
                    + "\(Int(Self.greatestSide)) on a side and \(Picture.greatestPixelCount) in all are drawn"
            )
        }
        for (index, panel) in panels.enumerated() {
            let title = panel.title.isEmpty ? "" : " '\(visible(panel.title, limit: VisibleText.nameLimit))'"
            try panel.check(panels.count == 1 ? "the panel\(title)" : "panel \(index + 1)\(title)")
        }
    }
}
