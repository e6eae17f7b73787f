import CDrawing
import FoveaPictures

extension Figure {
    /// A colour of a figure: red, green and blue in sRGB, and how much of it covers what is behind, each from 0 to 1.
    public struct Color: Hashable, Sendable {
        public var red: Double
        public var green: Double
        public var blue: Double
        public var alpha: Double

        /// - Parameters: each from 0 to 1; what is outside, or NaN, is brought there.
        public init(red: Double, green: Double, blue: Double, alpha: Double = 1) {
            func clamped(_ part: Double) -> Double { part > 0 ? min(part, 1) : 0 }
            self.red = clamped(red)
            self.green = clamped(green)
            self.blue = clamped(blue)
            self.alpha = clamped(alpha)
        }

        /// - Parameter hex: `0xRRGGBB`, as in HTML.
        public init(_ hex: UInt32) {
            self.init(
                red: Double(hex >> 16 & 255) / 255, green: Double(hex >> 8 & 255) / 255,
                blue: Double(hex & 255) / 255)
        }

        public init(_ color: Picture.Color) {
            self.init(
                red: Double(color.red) / 255, green: Double(color.green) / 255,
                blue: Double(color.blue) / 255)
        }

        /// The same colour, covering less.
        public func opacity(_ alpha: Double) -> Color {
            Color(red: red, green: green, blue: blue, alpha: self.alpha * alpha)
        }

        public static let black = Color(0x000000)
        public static let white = Color(0xFFFFFF)

        /// How bright it is, from 0 to 1: relative luminance of sRGB (IEC 61966-2-1), as in the Web Content Accessibility
        /// Guidelines.
        var luminance: Double {
            func linear(_ part: Double) -> Double {
                part <= 0.04045 ? part / 12.92 : power((part + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
        }

        /// How well the two can be told apart, from 1 to 21, as the Web Content Accessibility Guidelines define contrast.
        func contrast(with other: Color) -> Double {
            let (a, b) = (luminance, other.luminance)
            return (max(a, b) + 0.05) / (min(a, b) + 0.05)
        }

        /// Black or white: what can be read on it.
        var readable: Color {
            contrast(with: .black) > contrast(with: .white) ? .black : .white
        }

        var c: fovea_drawing_color {
            fovea_drawing_color(red: red, green: green, blue: blue, alpha: alpha)
        }
    }
}
