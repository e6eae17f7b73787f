import FoveaGraph
import Testing

@testable import FoveaPlanner

/// Which programs may run over the zeros that complete padded blocks. Operand 0 is padded, operand 1 is a scalar.
@Suite struct KeepsZeroTests {
    typealias Instruction = ElementwiseProgram.Instruction

    /// Whether zero comes out of register 9 after loading the padded operand into 0 and the scalar into 1.
    private func keepsZero(_ instructions: [Instruction]) -> Bool {
        var program = ElementwiseProgram()
        for _ in 0..<10 { _ = program.newRegister() }
        program.instructions =
            [.load(0, operand: 0), .load(1, operand: 1)] + instructions + [.store(operand: 2, 9)]
        return program.keepsZero(operands: [0])
    }

    @Test func loadsAndConstants() {
        #expect(keepsZero([.load(9, operand: 0)]))
        #expect(!keepsZero([.load(9, operand: 1)]))
        #expect(keepsZero([.constant(9, 0)]))
        #expect(!keepsZero([.constant(9, 1e-30)]))
        #expect(keepsZero([.integerConstant(9, 0)]))
        #expect(!keepsZero([.integerConstant(9, 3)]))
        #expect(!keepsZero([.place(9, operand: 0)]))
        #expect(!keepsZero([.random(.uniform, 9, index: 0, key: 1, stream: 0)]))
    }

    @Test func conversions() {
        #expect(keepsZero([.floatFromInteger(9, 0)]))
        #expect(keepsZero([.integerFromFloat(9, 0)]))
        #expect(keepsZero([.constant(2, 0.75), .integerFromFloat(9, 2)]))
        #expect(!keepsZero([.constant(2, -1.5), .integerFromFloat(9, 2)]))
        #expect(keepsZero([.roundToBFloat16(9, 0)]))
        #expect(!keepsZero([.constant(2, 1), .roundToBFloat16(9, 2)]))
    }

    @Test(arguments: Unary.allCases) func unary(kind: Unary) {
        let movesZero: Set<Unary> = [.exp, .log, .rsqrt, .reciprocal, .sigmoid, .cos]
        #expect(keepsZero([.unary(kind, 9, 0, isInteger: false)]) != movesZero.contains(kind))
        #expect(!keepsZero([.unary(kind, 9, 1, isInteger: false)]))
        if kind.acceptsIntegers { #expect(keepsZero([.unary(kind, 9, 0, isInteger: true)])) }
    }

    @Test(arguments: [false, true]) func binary(isInteger: Bool) {
        func binary(_ kind: Binary, _ a: Int, _ b: Int) -> Bool {
            keepsZero([
                isInteger ? .integerConstant(2, 2) : .constant(2, 2),
                .binary(kind, 9, a, b, isInteger: isInteger),
            ])
        }
        for kind in [Binary.add, .subtract, .maximum, .minimum] {
            #expect(binary(kind, 0, 0), "\(kind)")
            #expect(!binary(kind, 0, 1), "\(kind)")
            #expect(!binary(kind, 1, 0), "\(kind)")
        }
        #expect(binary(.maximum, 0, 0) && !binary(.maximum, 0, 2) && binary(.minimum, 2, 0))
        #expect(binary(.multiply, 0, 1) && binary(.multiply, 1, 0) && binary(.multiply, 0, 2))
        #expect(!binary(.multiply, 1, 2))
        #expect(binary(.divide, 0, 1) && binary(.divide, 0, 2) && !binary(.divide, 1, 0))
        if !isInteger {
            #expect(!binary(.divide, 0, 0) && !binary(.divide, 2, 0))
            #expect(binary(.power, 0, 2) && !binary(.power, 2, 0) && !binary(.power, 0, 1))
        }
    }

    @Test func truths() {
        for kind in Comparison.allCases {
            let holds = [Comparison.equal, .lessEqual, .greaterEqual].contains(kind)
            #expect(keepsZero([.comparison(kind, 9, 0, 0, isInteger: false)]) != holds, "\(kind)")
            #expect(!keepsZero([.comparison(kind, 9, 0, 1, isInteger: false)]), "\(kind)")
        }
        let isPositive = Instruction.comparison(.greater, 2, 0, 0, isInteger: false)
        #expect(keepsZero([isPositive, .select(9, condition: 2, 1, 0)]))
        #expect(!keepsZero([isPositive, .select(9, condition: 2, 0, 1)]))
        #expect(keepsZero([.select(9, condition: 1, 0, 0)]))
        #expect(!keepsZero([.select(9, condition: 1, 0, 1)]))
    }

    /// Products and quotients whose other factor is infinite or zero in the padding only.
    @Test func zeroTimesInfinity() {
        #expect(
            !keepsZero([.unary(.log, 2, 0, isInteger: false), .binary(.multiply, 9, 0, 2, isInteger: false)]))
        #expect(
            !keepsZero([
                .unary(.rsqrt, 2, 0, isInteger: false), .binary(.multiply, 9, 2, 0, isInteger: false),
            ]))
        // x / max(x, s): with a scalar of 0 the padding alone would be 0 / 0.
        #expect(
            !keepsZero([
                .binary(.maximum, 2, 0, 1, isInteger: false), .binary(.divide, 9, 0, 2, isInteger: false),
            ]))
        // Terms that cancel for exact functions only.
        #expect(
            !keepsZero([
                .unary(.exp, 2, 0, isInteger: false), .constant(3, 1),
                .binary(.subtract, 9, 2, 3, isInteger: false),
            ]))
    }

    /// An Adam step: m / (√v / c + ε) · rate.
    @Test func optimizers() {
        #expect(
            keepsZero([
                .unary(.sqrt, 2, 0, isInteger: false), .binary(.divide, 3, 2, 1, isInteger: false),
                .constant(4, 1e-7), .binary(.add, 5, 3, 4, isInteger: false),
                .binary(.divide, 6, 0, 5, isInteger: false), .binary(.multiply, 9, 6, 1, isInteger: false),
            ]))
    }

    /// Every store counts, and a store of something else does not hide one.
    @Test func everyStoreCounts() {
        #expect(!keepsZero([.store(operand: 3, 1), .load(9, operand: 0)]))
    }
}
