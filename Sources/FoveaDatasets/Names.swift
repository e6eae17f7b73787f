import Foundation

// A file system may store one name in several ways: "ä" as one character (the normal form NFC) or as "a" and a mark (NFD).
// Swift takes them for equal. So what compares bytes, or writes them, does it with one form of all.

extension String {
    /// The name in Unicode's normal form C.
    package var normalForm: String {
        utf8.allSatisfy { $0 < 0x80 } ? self : precomposedStringWithCanonicalMapping
    }

    /// Whether the name is sorted before another: by the bytes of their normal forms (which `<` compares), and by their own
    /// bytes where these are equal. So the order is the same on every machine.
    func precedes(_ other: String) -> Bool {
        self == other ? utf8.lexicographicallyPrecedes(other.utf8) : self < other
    }

    /// The name with all characters that are not ASCII spelt out, such as `a\u{0308}`.
    var spelt: String {
        unicodeScalars.map { $0.isASCII ? String($0) : $0.escaped(asASCII: true) }.joined()
    }
}
