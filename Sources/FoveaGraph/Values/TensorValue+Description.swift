import FoveaFiles

// Values print as NumPy and PyTorch print theirs: rows in brackets, columns under each other, then type and shape.

extension TensorValue: CustomStringConvertible {
    /// The elements in rows with the type and shape behind them, as in
    ///
    /// ```
    /// [[1.0, 2.5],
    ///  [3.0, 4.0]] float32[2, 2]
    /// ```
    ///
    /// Of more than 1,000 elements three from each end of an axis are shown. Fractions have as many digits as the elements
    /// need, at most four; where elements are very large, very small or of very different sizes, all have exponents.
    /// These are PyTorch's limits.
    public var description: String {
        let type = TensorType(shape, dtype).description
        guard !storage.isEmpty else { return "[] \(type)" }
        let printer = ValuePrinter(self)
        return printer.text(axis: 0, start: 0, indent: 0) + " " + type
    }
}

/// Brings the elements of one value to one width.
private struct ValuePrinter {
    private static let elementLimit = 1_000
    /// How many are shown at each end of an axis that is shortened.
    private static let edge = 3
    private static let lineWidth = 80

    private let value: TensorValue
    private let strides: [Int]
    private let isShortened: Bool
    private let format: NumberFormat
    private let width: Int

    init(_ value: TensorValue) {
        self.value = value
        strides = value.shape.rowMajorStrides
        isShortened = value.storage.count > Self.elementLimit
        var shown: [Int] = []
        Self.collect(value.shape, strides, isShortened, axis: 0, start: 0, &shown)
        let format = NumberFormat(value.storage, shown)
        self.format = format
        width = shown.reduce(0) { max($0, format.text(value.storage, $1).count) }
    }

    /// The places along an axis that are shown, in one or two parts.
    private static func parts(_ extent: Int, _ isShortened: Bool) -> [Range<Int>] {
        isShortened && extent > 2 * edge ? [0..<edge, (extent - edge)..<extent] : [0..<extent]
    }

    private static func collect(
        _ shape: Shape, _ strides: [Int], _ isShortened: Bool, axis: Int, start: Int, _ shown: inout [Int]
    ) {
        guard axis < shape.rank else {
            shown.append(start)
            return
        }
        for index in parts(shape[axis], isShortened).joined() {
            collect(shape, strides, isShortened, axis: axis + 1, start: start + index * strides[axis], &shown)
        }
    }

    private func element(_ place: Int) -> String {
        let text = format.text(value.storage, place)
        return String(repeating: " ", count: width - text.count) + text
    }

    /// The part of the value that begins at `start` and has the axes from `axis` on.
    func text(axis: Int, start: Int, indent: Int) -> String {
        let rank = value.shape.rank
        guard axis < rank else { return format.text(value.storage, start) }
        let parts = Self.parts(value.shape[axis], isShortened)
        if axis == rank - 1 { return row(parts, start: start, indent: indent) }
        // An empty line for each axis but two that ends, so that matrices stand apart.
        let gap = "," + String(repeating: "\n", count: rank - 1 - axis)
        let margin = String(repeating: " ", count: indent + 1)
        let texts = parts.map { part in
            part.map { text(axis: axis + 1, start: start + $0 * strides[axis], indent: indent + 1) }
                .joined(separator: gap + margin)
        }
        return "[" + texts.joined(separator: gap + margin + "…" + gap + margin) + "]"
    }

    /// Elements along the last axis, in as many lines as they take.
    private func row(_ parts: [Range<Int>], start: Int, indent: Int) -> String {
        var elements = parts[0].map { element(start + $0) }
        if parts.count > 1 { elements += ["…"] + parts[1].map { element(start + $0) } }
        let perLine = max(1, (Self.lineWidth - indent - 2) / (width + 2))
        let lines = stride(from: 0, to: elements.count, by: perLine).map {
            elements[$0..<min($0 + perLine, elements.count)].joined(separator: ", ")
        }
        return "[" + lines.joined(separator: ",\n" + String(repeating: " ", count: indent + 1)) + "]"
    }
}

/// How numbers are written so that they can be compared.
private enum NumberFormat {
    /// As integers and truth values are.
    case exact
    /// With this many digits behind the point.
    case fixed(Int)
    /// With four digits behind the point and an exponent.
    case exponent

    private static let digits = 4

    /// - Parameter shown: the places of the elements that count.
    init(_ storage: TensorValue.Storage, _ shown: [Int]) {
        guard storage.isFloatingPoint else {
            self = .exact
            return
        }
        let sizes = shown.map { abs(storage.double(at: $0)) }.filter { $0.isFinite && $0 != 0 }
        guard let least = sizes.min(), let greatest = sizes.max() else {
            self = .fixed(1)
            return
        }
        if sizes.allSatisfy({ $0 == $0.rounded() }) {
            self = greatest >= 1e8 ? .exponent : .fixed(1)
        } else if greatest >= 1e8 || least < 1e-4 || greatest / least > 1e3 {
            self = .exponent
        } else {
            let needed = (1...Self.digits).first { digits in
                sizes.allSatisfy { Float(scaled($0, digits) / powerOfTen(digits)) == Float($0) }
            }
            self = .fixed(needed ?? Self.digits)
        }
    }

    func text(_ storage: TensorValue.Storage, _ place: Int) -> String {
        if case .bool(let elements) = storage { return elements[place] ? "true" : "false" }
        let number = storage.double(at: place)
        guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
        let sign = number.sign == .minus ? "-" : ""
        switch self {
        case .exact: return "\(Int(number))"
        case .fixed(let digits): return sign + fixed(abs(number), digits)
        case .exponent: return sign + exponential(abs(number))
        }
    }

    private func fixed(_ size: Double, _ digits: Int) -> String {
        let unit = Int(powerOfTen(digits))
        let all = Int(scaled(size, digits))
        let fraction = String(all % unit)
        return "\(all / unit)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    private func exponential(_ size: Double) -> String {
        guard size != 0 else { return fixed(0, Self.digits) + "e+00" }
        var exponent = 0
        var mantissa = size
        while mantissa >= 10 {
            mantissa /= 10
            exponent += 1
        }
        while mantissa < 1 {
            mantissa *= 10
            exponent -= 1
        }
        if scaled(mantissa, Self.digits) >= powerOfTen(Self.digits + 1) {
            mantissa = 1
            exponent += 1
        }
        let number = String(exponent.magnitude)
        return fixed(mantissa, Self.digits) + (exponent < 0 ? "e-" : "e+")
            + String(repeating: "0", count: max(0, 2 - number.count)) + number
    }
}

/// A number in units of a decimal place, to the nearest.
private func scaled(_ size: Double, _ digits: Int) -> Double {
    (size * powerOfTen(digits)).rounded(.toNearestOrEven)
}

private func powerOfTen(_ exponent: Int) -> Double { (0..<exponent).reduce(1) { power, _ in power * 10 } }

extension TensorValue.Storage {
    var isEmpty: Bool { count == 0 }

    fileprivate var isFloatingPoint: Bool {
        switch self {
        case .float32, .bfloat16: true
        case .int32, .uint8, .bool: false
        }
    }

    /// One element as `Double`; `true` is 1.
    func double(at place: Int) -> Double {
        switch self {
        case .float32(let elements): Double(elements[place])
        case .bfloat16(let elements): Double(Float(bfloat16Pattern: elements[place]))
        case .int32(let elements): Double(elements[place])
        case .uint8(let elements): Double(elements[place])
        case .bool(let elements): elements[place] ? 1 : 0
        }
    }
}

// MARK: - Graphs

extension Tensor: CustomStringConvertible {
    /// What the node computes and the type of its result, such as `Tensor(matmul, float32[batch, 10])`. A graph has no
    /// values; they come out when it is run.
    public var description: String {
        switch operation {
        case .source(.input(let name)):
            "Tensor(input \"\(visible(name, limit: VisibleText.nameLimit))\", \(node.type))"
        case .source(.constant(let value)): "Tensor(constant \(value))"
        default: "Tensor(\(operation.rule.name), \(node.type))"
        }
    }
}
