import Foundation
import FoveaGraph
import FoveaLayers
import Testing

/// Models whose inputs leave extents open: what they are made of must not depend on the size.
struct OpenExtentsTests {
    private func classifier() throws -> Sequential {
        try Sequential(name: "anysize", input: [nil, nil, 3]) {
            Conv2D(filters: 4, kernelSize: 3, activation: .relu)
            MaxPooling2D()
            UpSampling2D(size: 2)
            GlobalAveragePooling2D()
            Dense(units: 2)
        }
    }

    /// The cells of a summary's table, without its header.
    private static func rows(_ summary: String) -> [[String]] {
        summary.split(separator: "\n").filter { $0.hasPrefix("│") }.map { line in
            line.split(separator: "│").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    @Test func shapes() throws {
        let open: Shape = [nil, nil, 3]
        #expect(open.description == "[nil, nil, 3]" && open.hasOpenExtents)
        #expect(open.accepts([4, 5, 3]) && open.accepts(open))
        #expect(!open.accepts([4, 5, 1]) && !open.accepts([4, 5]) && !Shape([4, 5, 3]).accepts(open))
        // Nothing takes it for a size.
        #expect(!open.isAddressable && open.elementCount == -Int.max)
        #expect(throws: ShapeError.self) {
            try BoundGraph(outputs: [Tensor.input("x", open)], mode: .inference, batch: 1)
        }
        #expect(throws: ShapeError.self) { try Tensor.input("x", open).reshaped(to: [Shape.batch, 3]) }
    }

    @Test func summaryHasNone() throws {
        let model = try classifier()
        #expect(try model.inputShape == [nil, nil, 3] && model.outputShape == [2])
        let shapes = Self.rows(model.summary()).map { $0[1] }
        let maps = "(None, None, None, 4)"
        #expect(shapes == [maps, maps, maps, "(None, 4)", "(None, 2)"])
    }

    /// One extent is open, others are not, also where layers fix or keep them.
    @Test func someExtentsAreOpen() throws {
        let x = LayerOutput.input("x", [nil, 12, 2])
        let maps = Conv2D(filters: 3, kernelSize: 3)(x)
        #expect(try maps.shape == [nil, 10, 3])
        let fixed = AdaptiveAveragePooling2D(outputSize: [2, 5])(maps)
        #expect(try fixed.shape == [2, 5, 3])
        let model = try Model(inputs: [x], outputs: [Dense(units: 4)(Flatten()(fixed))])
        #expect(
            model.calls.map(\.outputShapes) == [
                [[Shape.batch, nil, 10, 3]], [[Shape.batch, 2, 5, 3]], [[Shape.batch, 30]],
                [[Shape.batch, 4]],
            ])
        #expect(model.hasOpenInputs && model.parameterCount == 3 * 3 * 2 * 3 + 3 + 30 * 4 + 4)
        let steps = try Sequential(input: [nil, 8]) { Conv1D(filters: 2, kernelSize: 3) }
        #expect(try steps.outputShape == [nil, 2])
    }

    @Test func parametersThatDependOnTheSizeAreRefused() throws {
        let flat = #expect(throws: ShapeError.self) {
            try Sequential(name: "net", input: [nil, nil, 3]) {
                Conv2D(filters: 4, kernelSize: 3)
                Sequential(name: "head") {
                    Flatten()
                    Dense(units: 2, name: "scores")
                }
            }
        }
        #expect(flat?.path == ["net", "head", "scores"])
        #expect(flat?.message.contains("GlobalAveragePooling2D") == true)
        #expect(flat?.shapes == [[nil, 2]])
        #expect(throws: ShapeError.self) { try Sequential(input: [nil, nil, 3]) { PReLU() } }
        #expect(throws: ShapeError.self) { try Sequential(input: [4, 4, nil]) { Dense(units: 1) } }
        // What fits no size is told as it is.
        let wrong = #expect(throws: ShapeError.self) {
            try Sequential(input: [nil, nil, 3]) { Dense(units: 0) }
        }
        #expect(wrong?.message.contains("units must be positive") == true)
    }

    /// Nothing is left in layers of a model that could not be made.
    @Test func aRefusalLeavesNoTrace() throws {
        let layers: [any Layer] = [Conv2D(filters: 4, kernelSize: 3), Flatten(), Dense(units: 2)]
        #expect(throws: ShapeError.self) { try Sequential(input: [nil, nil, 3]) { layers } }
        #expect(layers.allSatisfy { $0.parameterCount == 0 })
        let model = try Sequential(input: [8, 8, 3]) { layers }
        #expect(try model.outputShape == [2])
    }

    /// Networks that need large images are built with such.
    @Test func largeWindows() throws {
        let model = try Sequential(input: [nil, nil, 1]) {
            AveragePooling2D(poolSize: 100)
            GlobalMaxPooling2D()
        }
        #expect(try model.outputShape == [1])
        let error = #expect(throws: ShapeError.self) { try model(Tensor.input("x", [64, 64, 1])) }
        #expect(error?.path.last == "average_pooling2d")
    }

    /// The first values are those of a model of one size.
    @Test @Compute func firstValues() throws {
        func layers() -> [any Layer] {
            [Conv2D(filters: 4, kernelSize: 3), GlobalAveragePooling2D(), Dense(units: 2)]
        }
        let open = try Sequential(input: [nil, nil, 3], seed: 5) { layers() }
        let fixed = try Sequential(input: [9, 7, 3], seed: 5) { layers() }
        for (one, other) in zip(open.parameters, fixed.parameters) {
            #expect(try one.parameter.variable?.value() == other.parameter.variable?.value())
        }
    }

    @Test func modelsInsideModels() throws {
        let base = Sequential(name: "base") {
            Conv2D(filters: 4, kernelSize: 3)
            MaxPooling2D()
        }
        let open = try Sequential(input: [nil, nil, 3]) {
            base
            GlobalMaxPooling2D()
        }
        #expect(base.calls.last?.outputShapes == [[Shape.batch, nil, nil, 4]])
        let rows = Self.rows(open.summary(expandNested: true))
        #expect(
            rows.map { $0[1] } == [
                "(None, None, None, 4)", "(None, None, None, 4)", "(None, None, None, 4)", "(None, 4)",
            ])
        // One of several sizes as part of one for a size, and the other way round.
        let sized = try Sequential(input: [10, 12, 3]) { open }
        #expect(try sized.inputShape == [10, 12, 3] && !sized.hasOpenInputs)
        #expect(open.hasOpenInputs)
        let around = try Sequential(input: [nil, nil, 3]) { sized }
        #expect(try around.outputShape == [4])
        // What needs a size says so.
        let error = #expect(throws: ShapeError.self) { try open(Tensor.input("x", open.inputShape)) }
        #expect(error?.message.contains("needs a size") == true)
    }

    /// Extents that are open are null in files.
    @Test func configurations() throws {
        for model in [try classifier() as any ModelProtocol, try graph()] {
            let again = try makeModel(model.architecture)
            #expect(try again.architecture == model.architecture)
            #expect(again.summary() == model.summary())
            let sized = try makeModel(model.architecture, inputShape: [12, 10, 3])
            #expect(try sized.inputShape == [12, 10, 3] && !sized.hasOpenInputs)
            #expect(sized.parameterCount == model.parameterCount)
            // What is said already is not changed.
            #expect(try makeModel(model.architecture, inputShape: [12, 10, 2]).inputShape == [12, 10, 3])
        }
    }

    private func graph() throws -> Model {
        let x = LayerOutput.input("x", [nil, nil, 3])
        let y = Conv2D(filters: 3, kernelSize: 3, padding: .same)(x)
        return try Model(inputs: [x], outputs: [GlobalAveragePooling2D()(Add()([x, y]))])
    }
}
