import FoveaFiles
import FoveaPictures

/// A page about a trained model that needs nothing beside it: texts, tables, figures and pictures in one HTML file, for bright and
/// dark screens, without scripts.
///
/// ```swift
/// var report = RunReport(title: "First network")
/// report.results = [.init("test accuracy", "0.9030")]
/// report.sections = [
///     .curves(of: history), .classes(of: answers),
///     try await .worst(of: answers, examples: examples, model: model), .layers(of: model),
/// ]
/// try report.write(to: "report.html")
/// ```
///
/// The same report gives the same bytes. All texts are shown as they are, whatever characters they have.
public struct RunReport: Sendable {
    public var title: String
    /// A line below the title.
    public var subtitle: String
    /// What it came to, in large letters.
    public var results: [Fact]
    public var sections: [Section]

    public init(title: String, subtitle: String = "", results: [Fact] = [], sections: [Section] = []) {
        self.title = title
        self.subtitle = subtitle
        self.results = results
        self.sections = sections
    }

    /// Something that has a name.
    public struct Fact: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A part of the page with a heading.
    public struct Section: Sendable {
        public var title: String
        public var contents: [Content]

        public init(_ title: String, _ contents: [Content]) {
            self.title = title
            self.contents = contents
        }
    }

    /// What sections are made of.
    public enum Content: Sendable {
        /// A paragraph.
        case text(String)
        /// A paragraph that says what is missing, and why.
        case note(String)
        /// Names and values below each other.
        case facts([Fact])
        /// Rows of as many texts as there are headings. All columns but the first are numbers if they look like such.
        case table(headings: [String], rows: [[String]])
        /// Lines as they are, such as a command; many can be folded away.
        case lines(String)
        /// A figure, drawn for bright and for dark pages; the description is for those who cannot see it.
        case figure(description: String, @Sendable (Figure.Theme) throws -> Figure)
        /// Pictures in rows with texts below.
        case exhibits([Exhibit])
    }

    /// A picture, or several that belong together, with a text below.
    public struct Exhibit: Sendable {
        public var pictures: [Picture]
        public var caption: String
        /// A second line in smaller letters.
        public var detail: String
        /// Whether the caption is an answer that is right; nil where it is none.
        public var isRight: Bool?

        public init(_ pictures: [Picture], caption: String, detail: String = "", isRight: Bool? = nil) {
            self.pictures = pictures
            self.caption = caption
            self.detail = detail
            self.isRight = isRight
        }
    }

    /// Writes the page, whole or not at all.
    ///
    /// - Throws: `VisualizationError` when a figure cannot be drawn, `PictureError` when there is not enough memory for a picture,
    ///   `FileError` when the file cannot be written.
    public func write(to file: some PathConvertible) throws {
        try AtomicFile.write(Array(html().utf8), to: file)
    }
}
