import FoveaGraph
import FoveaLayers
import FoveaModels
import FoveaRuntime
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaXLA

/// What graphs become, looked at without a plugin.
@Suite struct ProgramTests {
    private func program(_ outputs: [Tensor], _ updates: [Update] = [], _ precision: Precision = .float32)
        throws
        -> Program
    {
        try Program(
            BoundGraph(outputs: outputs, updates: updates, mode: .training, batch: 2), precision: precision)
    }

    /// Whatever is used has been given a name before, and no name is given twice.
    private func expectWellFormed(_ text: String, _ what: String) {
        var known = Set<Substring>()
        let names = /%[A-Za-z0-9_]+/
        for line in text.split(separator: "\n") where !line.hasPrefix("      ") {
            let sides = line.split(separator: " = ", maxSplits: 1)
            let isDefinition =
                sides.count == 2 && sides[0].trimmingPrefix(while: { $0 == " " }).hasPrefix("%")
            if line.contains("func.func") {
                known.formUnion(line.matches(of: names).map(\.output))
                continue
            }
            // Names inside of the bodies of reductions are of their own.
            guard !line.contains("reducer("), !line.contains("^bb0") else { continue }
            let used = (isDefinition ? sides[1] : line).matches(of: names).map(\.output)
            #expect(used.allSatisfy(known.contains), "\(what): \(line)")
            guard isDefinition else { continue }
            for name in sides[0].matches(of: names).map(\.output) {
                #expect(known.insert(name).inserted, "\(what): \(line)")
            }
        }
    }

    @Test func everyCaseHasAProgram() throws {
        for operationCase in OperationCases.all {
            let graph = try operationCase.graph(batch: nil)
            for precision in [Precision.float32, .mixedBFloat16] {
                let text = try program(graph.outputs + graph.gradients, [], precision).text
                expectWellFormed(text, operationCase.name)
                #expect(text.contains("func.func public @main("))
                #expect(!text.contains("batch_norm") && !text.contains("select_and_scatter"))
                // Products that do not say so would lose bits on GPUs.
                let lines = text.split(separator: "\n")
                let products = lines.filter {
                    $0.contains("dot_general") || $0.contains("stablehlo.convolution")
                }
                #expect(products.allSatisfy { $0.contains("HIGHEST") })
                let operands = precision == .mixedBFloat16 ? "xbf16>" : "xf32>"
                #expect(products.allSatisfy { $0.contains(operands) && $0.hasSuffix("xf32>") })
            }
        }
    }

    @Test func argumentsAndResultsAreInOrder() throws {
        let (weight, unread) = (
            Variable(name: "weight", initial: TensorValue([1, 2])),
            Variable(name: "unread", initial: TensorValue([1, 2]))
        )
        let frozen = Variable(name: "frozen", initial: TensorValue([1, 2]))
        let x = try Tensor.input("x", [2]) * Tensor(weight) + Tensor(frozen) + Tensor.randomUniform([2])
        let updates = [
            try Update(unread, to: Tensor(frozen) * 2), try Update(weight, to: Tensor(weight) - 1),
        ]
        let program = try program([x], updates)
        #expect(Set(program.arguments) == [.variable(weight), .variable(frozen), .input("x"), .randomKey])
        #expect(program.arguments.count == 4)
        #expect(program.updated == [unread, weight])
        #expect(program.outputs == [TensorType([2, 2], .float32)])
        // The memory of what is read and updated goes to its next value, the second result, and nothing else is given away.
        #expect(program.text.matches(of: /tf\.aliasing_output/).count == 1)
        let place = try #require(program.arguments.firstIndex(of: .variable(weight)))
        #expect(program.text.contains("%arg\(place): tensor<2xf32> {tf.aliasing_output = 1 : i32}"))
        #expect(program.text.contains("-> (tensor<2xf32>, tensor<2xf32>, tensor<2x2xf32>)"))
    }

    @Test func constantsKeepTheirBits() throws {
        func text(_ value: TensorValue) throws -> String { try program([.constant(value)]).text }
        #expect(try text(TensorValue(-.infinity)).contains("dense<0xFF800000> : tensor<f32>"))
        #expect(try text(TensorValue([-0.0, -0.0])).contains("dense<0x80000000> : tensor<2xf32>"))
        #expect(try text(TensorValue([1, 0])).contains("dense<\"0x0000803F00000000\"> : tensor<2xf32>"))
        let truths = TensorValue(shape: [2], dtype: .bool, doubles: [1, 0])
        #expect(try text(truths).contains("dense<\"0x0100\"> : tensor<2xui8>"))
        let small = TensorValue(shape: [2], dtype: .int32, doubles: [-7, -7])
        #expect(try text(small).contains("dense<-7> : tensor<2xi32>"))
    }

    @Test func optionsAreNeverEmpty() {
        let cpu = CompileOptions(platform: "cpu").bytes
        #expect(cpu.starts(with: [0x1A, 4, 0x20, 1, 0x28, 1]))
        #expect(CompileOptions(platform: "cuda").bytes.count > cpu.count)
    }
}
