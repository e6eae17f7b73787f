import FoveaFiles

/// A figure could not be drawn, or what a network sees could not be shown.
public struct VisualizationError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// An argument is outside what the function can work with.
        case invalidArgument
        /// There is nothing to show: no numbers, no epochs, no panels, or none but NaN.
        case noData
        /// Numbers have another shape than what they are to be shown as.
        case wrongShape
        /// The figure is larger than a picture may be.
        case tooLarge
        /// Pango and cairo, which draw, are not installed.
        case missingLibrary
        /// No font is installed, so nothing can be written.
        case noFonts
        /// There is not enough memory.
        case outOfMemory
        /// The drawing library refused.
        case drawing
    }

    public let kind: Kind
    /// What was found, what was expected and what to try.
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { visible(message) }
}
