#if ProtocolBuffers
    import Foundation
    import FoveaGraph

    /// A tensor of an ONNX file whose elements are known when the file is read.
    struct ONNXConstant {
        enum Elements {
            case value(TensorValue)
            /// 64-bit integers: sizes, axes and places.
            case integers([Int])
            /// One number everywhere, which needs no memory however many there are.
            case filled(Double)
        }

        let shape: Shape
        let elements: Elements
        /// Its own in the file, or that of what it was made from.
        var name: String

        /// How many elements of one number may be written out: more than any vector of channels has.
        private static let fillLimit = 1 << 20

        /// What stands for the unknown size of the batch among integers.
        static let batch = Int.min

        /// An integer of a file, brought into a range in which no arithmetic with it overflows; what is outside fits no tensor.
        static func sensible(_ integer: Int64) -> Int { Int(max(-(1 << 40), min(1 << 40, integer))) }

        var isFilled: Bool { if case .filled = elements { true } else { false } }

        /// The elements as float32.
        func floats() throws(ONNXImportProblem) -> [Float] {
            switch elements {
            case .value(let value): return value.floats
            case .integers(let numbers): return numbers.map { Float($0) }
            case .filled(let number):
                return [Float](repeating: Float(number), count: try fillCount())
            }
        }

        func integers() throws(ONNXImportProblem) -> [Int] {
            switch elements {
            case .integers(let numbers): return numbers
            case .value(let value): return value.integers.map { Int($0) }
            case .filled(let number):
                guard let integer = Int(exactly: number) else {
                    throw ONNXImportProblem(
                        "\(name.isEmpty ? "a constant" : quoted(name)) is not made of integers")
                }
                return [Int](repeating: integer, count: try fillCount())
            }
        }

        private func fillCount() throws(ONNXImportProblem) -> Int {
            guard shape.elementCount <= Self.fillLimit else {
                throw ONNXImportProblem(
                    "\(shape.elementCount) equal elements are more than Fovea writes out here")
            }
            return shape.elementCount
        }

        /// The only number there is.
        func number() throws(ONNXImportProblem) -> Float {
            if case .filled(let number) = elements { return Float(number) }
            guard shape.elementCount == 1 else {
                throw ONNXImportProblem("\(quoted(name)) should be one number, not \(shape.elementCount)")
            }
            return try floats()[0]
        }

        /// The same elements under another shape.
        func reshaped(to shape: Shape) throws(ONNXImportProblem) -> ONNXConstant {
            guard shape.dimensions.allSatisfy({ $0 >= 0 }), shape.elementCount == self.shape.elementCount
            else {
                throw ONNXImportProblem("\(quoted(name)) of \(self.shape) cannot have the shape \(shape)")
            }
            switch elements {
            case .value(let value):
                return ONNXConstant(shape: shape, elements: .value(value.reshaped(known: shape)), name: name)
            default: return ONNXConstant(shape: shape, elements: elements, name: name)
            }
        }

        /// Axis `i` of the result is axis `order[i]`.
        func transposed(_ order: [Int]) throws(ONNXImportProblem) -> ONNXConstant {
            guard order.sorted() == Array(0..<shape.rank) else {
                throw ONNXImportProblem("\(order) is no order of the axes of \(shape)")
            }
            let moved = Shape(order.map { shape[$0] })
            switch elements {
            case .value(let value):
                return ONNXConstant(shape: moved, elements: .value(value.transposed(order)), name: name)
            case .filled: return ONNXConstant(shape: moved, elements: elements, name: name)
            case .integers(let numbers):
                let value = TensorValue(unchecked: shape, .float32(numbers.map { Float($0) }))
                return ONNXConstant(shape: moved, elements: .value(value.transposed(order)), name: name)
            }
        }

        /// Each element multiplied and added to, in float32.
        func mapped(_ body: (Float) -> Float) throws(ONNXImportProblem) -> ONNXConstant {
            if case .filled(let number) = elements {
                return ONNXConstant(shape: shape, elements: .filled(Double(body(Float(number)))), name: name)
            }
            let numbers = try floats().map(body)
            return ONNXConstant(
                shape: shape, elements: .value(TensorValue(unchecked: shape, .float32(numbers))), name: name)
        }
    }

    /// What is wrong with a file, or what Fovea cannot do with it.
    struct ONNXImportProblem: Error {
        let description: String

        init(_ description: String) { self.description = description }
    }
#endif
