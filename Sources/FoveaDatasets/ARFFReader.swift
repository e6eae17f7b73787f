import FoveaFiles

/// A column of an ARFF file.
struct ARFFAttribute: Equatable {
    enum Kind: Equatable {
        case numeric
        /// One of these values; a row has its place among them.
        case nominal([String])
    }

    let name: String
    let kind: Kind
}

/// Reads ARFF, the text format of Weka and OpenML, row by row: numeric and nominal attributes, dense and sparse rows, quoted
/// names and values, comments, missing values. Attributes of text and dates, and weights of rows, are refused.
///
/// Witten et al., "Attribute-Relation File Format", Weka's manual. Nothing in a file is trusted: lines, attributes and values
/// are counted against limits.
struct ARFFReader {
    struct Limits {
        var lineByteCount = 1 << 24
        var attributeCount = 1 << 20
        /// The most values of all nominal attributes together.
        var valueCount = 1 << 20
    }

    let attributes: [ARFFAttribute]
    private let path: String
    private var lines: LineReader
    private var line: [UInt8] = []
    /// For each nominal attribute the place of each value.
    private let places: [[String: Int]]

    /// Reads the header.
    ///
    /// - Throws: `DatasetError`, naming the file and the line, when it is not ARFF, has attributes of other kinds, or exceeds
    ///   a limit.
    init(_ file: UnpackedFile, limits: Limits = Limits()) throws(DatasetError) {
        path = file.path
        lines = LineReader(file, limit: limits.lineByteCount)
        var hasRelation = false
        var attributes: [ARFFAttribute] = []
        var names: Set<String> = []
        var valueCount = 0
        while true {
            guard try lines.next(into: &line) else {
                throw DatasetError(
                    hasRelation ? .truncated : .wrongFormat, file: path,
                    !hasRelation
                        ? "is no ARFF file: it has no @relation; check the path"
                        : "ends before @data; download it again")
            }
            var scanner = ARFFScanner(line, number: lines.lineNumber, path: path)
            guard scanner.beginsHeaderLine else {
                if scanner.isBlank { continue }
                throw scanner.error(
                    !hasRelation ? "is no ARFF file: @relation is expected" : "@attribute is expected")
            }
            switch try scanner.word().lowercased() {
            case "@relation":
                guard !hasRelation else { throw scanner.error("a second @relation") }
                _ = try scanner.word()
                hasRelation = true
            case "@attribute":
                guard hasRelation else { throw scanner.error("@relation is expected first") }
                let attribute = try scanner.attribute()
                guard names.insert(attribute.name).inserted else {
                    throw scanner.error("a second attribute '\(attribute.name)'")
                }
                if case .nominal(let values) = attribute.kind { valueCount += values.count }
                attributes.append(attribute)
                guard attributes.count <= limits.attributeCount, valueCount <= limits.valueCount else {
                    throw DatasetError(.tooLarge, file: path, "has too many attributes or nominal values")
                }
            case "@data":
                guard hasRelation, !attributes.isEmpty, lines.hadLineBreak else {
                    throw scanner.error("@data without @relation, attributes or rows")
                }
                self.attributes = attributes
                places = attributes.map { attribute in
                    guard case .nominal(let values) = attribute.kind else { return [:] }
                    return Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, $0) })
                }
                return
            case let other: throw scanner.error("'\(other)' is unknown")
            }
        }
    }

    /// Reads the next row.
    ///
    /// - Parameter row: becomes one number for each attribute: the value, or the place of a nominal value, or NaN for one that
    ///   is missing.
    /// - Returns: false when there are no more rows.
    /// - Throws: `DatasetError`, naming the file and the line, when the row does not fit the attributes.
    mutating func readRow(into row: inout [Double]) throws(DatasetError) -> Bool {
        while try lines.next(into: &line) {
            var scanner = ARFFScanner(line, number: lines.lineNumber, path: path)
            if scanner.isBlank { continue }
            // A row that was cut short can look like a whole one.
            guard lines.hadLineBreak else {
                throw DatasetError(
                    .truncated, file: path, "line \(lines.lineNumber) does not end; download the file again")
            }
            row.removeAll(keepingCapacity: true)
            if scanner.skip(UInt8(ascii: "{")) {
                try readSparse(&scanner, into: &row)
            } else {
                try readDense(&scanner, into: &row)
            }
            return true
        }
        return false
    }

    private func readDense(_ scanner: inout ARFFScanner, into row: inout [Double]) throws(DatasetError) {
        while true {
            guard row.count < attributes.count else {
                throw scanner.error("there are more than \(attributes.count) values")
            }
            row.append(try value(&scanner, of: row.count))
            if scanner.isAtEnd { break }
            guard scanner.skip(UInt8(ascii: ",")) else { throw scanner.error("a comma is expected") }
        }
        guard row.count == attributes.count else {
            throw scanner.error("there are \(row.count) values for \(attributes.count) attributes")
        }
    }

    /// Pairs of place and value; what is not there is 0, or the first nominal value.
    private func readSparse(_ scanner: inout ARFFScanner, into row: inout [Double]) throws(DatasetError) {
        row.append(contentsOf: repeatElement(0, count: attributes.count))
        var last = -1
        if !scanner.skip(UInt8(ascii: "}")) {
            while true {
                let place = try scanner.number()
                guard let place = Int(exactly: place), place > last, place < attributes.count else {
                    throw scanner.error("the place \(place) is not above those before it, or no attribute's")
                }
                last = place
                row[place] = try value(&scanner, of: place)
                if scanner.skip(UInt8(ascii: "}")) { break }
                guard scanner.skip(UInt8(ascii: ",")) else { throw scanner.error("a comma is expected") }
            }
        }
        guard scanner.isAtEnd else { throw scanner.error("something follows the row; weights are not read") }
    }

    private func value(_ scanner: inout ARFFScanner, of place: Int) throws(DatasetError) -> Double {
        if scanner.skipMissing() { return .nan }
        guard case .nominal = attributes[place].kind else { return try scanner.number() }
        let word = try scanner.word()
        guard let index = places[place][word] else {
            throw scanner.error("'\(word)' is no value of the attribute '\(attributes[place].name)'")
        }
        return Double(index)
    }
}
