extension Figure {
    /// Which colours a figure has.
    public enum Theme: String, CaseIterable, Hashable, Sendable {
        /// Dark on white, for paper and bright pages.
        case light
        /// Bright on nearly black, for dark pages.
        case dark

        var background: Color { self == .light ? .white : Color(0x16191D) }
        var text: Color { self == .light ? Color(0x1B1F24) : Color(0xE4E7EB) }
        /// Frames and ticks.
        var frame: Color { self == .light ? Color(0x40464D) : Color(0x9AA2AC) }
        var grid: Color { self == .light ? Color(0xE3E6EA) : Color(0x30353C) }
        /// What stays behind curves: legends, on which texts are read.
        var legend: Color { background.opacity(0.85) }
        /// Where an image has no number.
        var missing: Color { self == .light ? Color(0xD5D8DC) : Color(0x4A5058) }
        var right: Color { self == .light ? Color(0x1E7E34) : Color(0x5FC46F) }
        var wrong: Color { self == .light ? Color(0xC42F3B) : Color(0xF2777F) }

        /// The colours that marks take in turn. Each has a contrast of 4 and more with the background.
        public var cycle: [Color] {
            let colors: [UInt32] =
                switch self {
                case .light:
                    [
                        0x1F77B4, 0xD1571A, 0x2A8A3E, 0xC42F3B, 0x7D55B5, 0x8A5A44, 0xC2559D, 0x5F6670,
                        0x8A7A12,
                        0x0F8A97,
                    ]
                case .dark:
                    [
                        0x5AA9E6, 0xFF9A52, 0x5FC46F, 0xF2777F, 0xB497E7, 0xC9A08C, 0xF09BD0, 0xA9B1BB,
                        0xD9C84A,
                        0x4FD0DC,
                    ]
                }
            return colors.map { Color($0) }
        }
    }
}
