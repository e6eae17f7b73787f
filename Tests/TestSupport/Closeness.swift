import FoveaGraph
import Testing

/// Expects equal shapes and element types, equal integers and truths, and floating-point elements that differ by at
/// most `relativeTolerance` times the largest finite magnitude of `expected`. Infinities must agree, and NaN must meet
/// NaN.
public func expectClose(
    _ actual: TensorValue, _ expected: TensorValue, relativeTolerance: Double = 1e-5, _ what: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    if let difference = difference(actual, expected, relativeTolerance: relativeTolerance) {
        Issue.record("\(what)\(what.isEmpty ? "" : ": ")\(difference)", sourceLocation: sourceLocation)
    }
}

/// What is wrong with `actual`, or nil: the first element that differs too much and the one that differs most.
public func difference(_ actual: TensorValue, _ expected: TensorValue, relativeTolerance: Double) -> String? {
    guard actual.shape == expected.shape, actual.dtype == expected.dtype else {
        return "has type \(actual.dtype)\(actual.shape), expected \(expected.dtype)\(expected.shape)"
    }
    let (a, e) = (actual.doubles, expected.doubles)
    let scale = e.lazy.filter(\.isFinite).map(abs).max() ?? 0
    let allowed = expected.dtype.isFloatingPoint ? relativeTolerance * scale : 0
    func error(_ index: Int) -> Double {
        if a[index] == e[index] || (a[index].isNaN && e[index].isNaN) { return 0 }
        let error = abs(a[index] - e[index])
        return error.isNaN ? .infinity : error
    }
    let wrong = a.indices.filter { error($0) > allowed }
    guard let first = wrong.first, let worst = wrong.max(by: { error($0) < error($1) }) else { return nil }
    func element(_ index: Int) -> String {
        "at \(place(index, in: expected.shape)) it is \(a[index]), expected \(e[index])"
    }
    let worstText = worst == first ? "" : "; worst \(element(worst))"
    return
        "\(wrong.count) of \(a.count) elements differ by more than \(allowed): first \(element(first))\(worstText)"
}

private func place(_ position: Int, in shape: Shape) -> [Int] {
    zip(shape.rowMajorStrides, shape.dimensions).map { stride, extent in position / stride % extent }
}
