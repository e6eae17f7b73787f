import Foundation

// Foundation's functions under names that files which import nothing else of it can use.

func logarithm10(_ x: Double) -> Double { log10(x) }
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

/// Digits with so many of them behind the point, and a true minus sign.
func fixedPoint(_ number: Double, decimals: Int) -> String {
    let text = String(format: "%.\(max(0, min(decimals, 20)))f", number)
    // What is rounded to nothing has no sign.
    guard text.hasPrefix("-") else { return text }
    let digits = text.dropFirst()
    return digits.allSatisfy { $0 == "0" || $0 == "." } ? String(digits) : "\u{2212}" + digits
}

/// A whole number in small raised digits, as of a power.
func raised(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    let text = String(number.magnitude).compactMap { $0.wholeNumberValue.map { digits[$0] } }
    return (number < 0 ? "⁻" : "") + String(text)
}
