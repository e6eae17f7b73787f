/// JSON of metadata that a decoder can be given: text of a few hundred bytes could otherwise keep it busy for minutes.
enum BoundedJSON {
    /// Arrays and objects within each other; of models within models each takes three.
    static let depthLimit = 128
    /// What the decoder does grows with the number of values and with the square of their depth: this is about half a second.
    /// The layers of the largest networks, some thousand, take a third.
    static let workLimit = 1 << 25

    /// What is too much in a text; nil when it can be decoded. Whether it is JSON is left to the decoder.
    static func problem(in text: String) -> String? {
        var (depth, work) = (0, 0)
        var (isInString, isEscaped) = (false, false)
        for byte in text.utf8 {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                work += 100 + depth * depth
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: ","): work += 100 + depth * depth
            default: break
            }
            if depth > depthLimit { return "its parts are nested more than \(depthLimit) deep" }
            if work > workLimit { return "it has too many values within each other" }
        }
        return nil
    }
}
