import FoveaGraph
import FoveaRuntime

extension Tensor {
    /// The tensor's value, computed now on the CPU with precision `strict`.
    ///
    /// For work done once. What is done many times is compiled once by a `StepRunner` instead.
    ///
    /// ```swift
    /// let x = Tensor.argument("x", [5])
    /// let slope = try convolve1D(x, .constant(Kernels.centralDifference), mode: .valid)
    /// let value = try await slope.evaluated(["x": TensorValue([0.0, 1, 4, 9, 16])])  // 2, 4, 6
    /// ```
    ///
    /// - Parameters:
    ///   - inputs: a value for each input that the tensor depends on, by name.
    ///   - batch: the size of every batch axis.
    /// - Throws: `ShapeError` when the graph does not fit the batch size, `RunError` for an input that is missing,
    ///   unknown or of another type, and when there is not enough memory.
    public func evaluated(
        _ inputs: [String: TensorValue] = [:], batch: Int = 1
    ) async throws -> TensorValue {
        try await Compute.run {
            try Device.cpu(precision: .strict).backend
                .compile(outputs: [self], mode: .inference, batch: batch).run(inputs)[0]
        }
    }
}

extension TensorValue {
    /// A matrix or grey image, row by row.
    ///
    /// - Throws: `ShapeError` when there is no element or rows differ in length.
    public init(rows: [[Float]]) throws(ShapeError) {
        let width = rows.first?.count ?? 0
        guard width > 0, rows.allSatisfy({ $0.count == width }) else {
            throw ShapeError(
                "TensorValue",
                "needs one or more rows of one length, not rows of \(rows.map(\.count)) elements")
        }
        try self.init(shape: [rows.count, width], rows.flatMap { $0 })
    }

    /// The elements of a value of rank 2, row by row.
    var rows: [[Float]] {
        let (elements, width) = (floats, shape[1])
        return (0..<shape[0]).map { Array(elements[$0 * width..<($0 + 1) * width]) }
    }
}
