import CDrawing

/// What a C function says of a failure.
struct CMessage {
    private var bytes = [CChar](repeating: 0, count: 160)

    var text: String {
        String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    mutating func fill<Result>(_ call: (UnsafeMutablePointer<CChar>?) -> Result) -> Result {
        bytes.withUnsafeMutableBufferPointer { call($0.baseAddress) }
    }
}

extension VisualizationError {
    init(_ status: fovea_drawing_status, _ message: String) {
        switch status {
        case .no_library:
            self.init(
                .missingLibrary,
                "figures are drawn by pango and cairo, which cannot be used here (\(message)); install them, on Debian and "
                    + "Ubuntu with 'apt-get install libpangocairo-1.0-0'")
        case .no_fonts:
            self.init(
                .noFonts,
                "the figure has texts, but this machine has no font; install one, on Debian and Ubuntu with 'apt-get "
                    + "install fonts-dejavu-core'")
        case .out_of_memory:
            self.init(
                .outOfMemory, "there is not enough memory for the figure; make it smaller, or give fewer dpi")
        case .succeeded, .failed:
            self.init(.drawing, "the figure cannot be drawn: \(message)")
        }
    }
}
