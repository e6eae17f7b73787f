/// What is changed in cairo's SVG documents.
enum SVGDocument {
    /// The document with all images enlarged to squares of colour.
    static func withSharpImages(_ svg: [UInt8]) -> [UInt8] {
        let start = Array("<svg ".utf8)
        guard let place = svg.indices.first(where: { svg[$0...].starts(with: start) }) else { return svg }
        return svg[..<(place + start.count)] + Array(#"image-rendering="pixelated" "#.utf8)
            + svg[(place + start.count)...]
    }

    /// The document with the names in it numbered from 1 on. Cairo numbers the images and clips of a process on and on, so that the
    /// same drawing would be other bytes the next time.
    static func withOwnNames(_ svg: [UInt8]) -> [UInt8] {
        let marks = [#"id=""#, ##"href="#"##, "url(#"].map { Array($0.utf8) }
        var numbers: [ArraySlice<UInt8>: Int] = [:]
        var result: [UInt8] = []
        result.reserveCapacity(svg.count)
        var position = 0
        while position < svg.count {
            let rest = svg[position...]
            // Most of a document is coordinates and the data of images, in which no such byte begins a name.
            guard let mark = marks.first(where: { $0[0] == svg[position] && rest.starts(with: $0) }) else {
                result.append(svg[position])
                position += 1
                continue
            }
            let name = rest.dropFirst(mark.count).prefix {
                $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: ")")
            }
            let number = numbers[name, default: numbers.count + 1]
            numbers[name] = number
            result += mark + Array("n\(number)".utf8)
            position = name.endIndex
        }
        return result
    }
}
