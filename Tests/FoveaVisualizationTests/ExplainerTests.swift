import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaPictures
import FoveaRuntime
import Testing

@testable import FoveaVisualization

/// Which layer, class and input is explained, and what cannot be.
@Suite struct ExplainerTests {
    private func small(
        units: Int = 4, activation: ActivationFunction = .softmax, dataFormat: DataFormat = .channelsLast
    ) async throws -> Sequential {
        let isFirst = dataFormat == .channelsFirst
        let model = try Sequential(name: "small", input: isFirst ? [3, 9, 7] : [9, 7, 3], seed: 4) {
            Conv2D(filters: 5, kernelSize: 3, padding: .same, dataFormat: dataFormat, activation: .relu)
            MaxPooling2D(dataFormat: dataFormat)
            Conv2D(filters: 6, kernelSize: 2, dataFormat: dataFormat, activation: .relu, name: "last")
            GlobalAveragePooling2D(dataFormat: dataFormat)
            Dense(units: units, activation: activation)
        }
        try await disturbBiases(of: model)
        return model
    }

    // MARK: Layers

    @Test func cutOffMapsOfGlobalPoolingAreGradCAMs() async throws {
        let explainer = try await Explainer(small())
        let images = try picture([3, 9, 7, 3])
        for classIndex in 0..<4 {
            let cam = try await explainer.explain([images], method: .cam, class: classIndex)
            let gradCAM = try await explainer.explain([images], class: classIndex)
            for (a, b) in zip(cam, gradCAM) {
                #expect(a.layer == "last" && b.layer == "last")
                #expect(a.score == b.score)
                if b.map.max() == 0 {
                    #expect(a.map.max() == 0)
                } else {
                    expectNear(a.map.floats, b.map.floats, "class \(classIndex)")
                }
            }
        }
    }

    @Test func theLastConvolutionIsFoundInsideModels() async throws {
        let model = try nestedModel()
        try await disturbBiases(of: model)
        let explainer = try Explainer(model)
        let images = try picture([2, 8, 8, 2])
        let found = try await explainer.explain([images], class: 1)
        // The sum and its rectifier are the block's own.
        #expect(found.map(\.layer) == ["base/block", "base/block"])
        let named = try await explainer.explain([images], class: 1, layer: "base/block")
        #expect(named.map(\.values) == found.map(\.values))
        let other = try await explainer.explain([images], class: 1, layer: "base/conv")
        #expect(other[0].values != found[0].values)
        // Features of the whole inner model are the same tensor.
        let whole = try await explainer.explain([images], class: 1, layer: "base")
        #expect(whole.map(\.values) == found.map(\.values))
    }

    @Test func whatFollowsAConvolutionAtItsSizeBelongsToIt() async throws {
        let images = LayerOutput.input("images", [8, 8, 3])
        var x = Conv2D(filters: 4, kernelSize: 3, padding: .same, name: "a")(images)
        let shortcut = x
        x = ReLU(name: "b")(BatchNormalization()(x))
        x = Conv2D(filters: 4, kernelSize: 3, padding: .same, name: "c")(x)
        x = ReLU(name: "end")(Add()([x, shortcut]))
        x = Dropout(rate: 0.5)(x)
        let model = try Model(
            inputs: [images], outputs: [Dense(units: 3)(Flatten()(MaxPooling2D()(x)))])
        let attribution = try await Explainer(model).explain([picture([1, 8, 8, 3])])[0]
        #expect(attribution.layer == "end")
    }

    @Test func convolutionsOfOnePixelHaveNoMap() async throws {
        let model = try Sequential(input: [6, 6, 1]) {
            Conv2D(filters: 2, kernelSize: 3, name: "first")
            Conv2D(filters: 3, kernelSize: 4, name: "all")
            Flatten()
            Dense(units: 2)
        }
        #expect(try await Explainer(model).explain([picture([1, 6, 6, 1])])[0].layer == "first")
    }

    // MARK: Forms

    @Test func channelsMayComeFirst() async throws {
        let (last, first) = (try await small(), try await small(dataFormat: .channelsFirst))
        for (a, b) in zip(last.parameters, first.parameters) {
            let (from, to) = (try #require(a.parameter.variable), try #require(b.parameter.variable))
            try await to.assign(from.value())
        }
        let images = try picture([2, 9, 7, 3])
        let pixels = images.floats
        let turned = try TensorValue(
            shape: [2, 3, 9, 7],
            (0..<2).flatMap { image in
                (0..<3).flatMap { channel in (0..<63).map { pixels[image * 189 + $0 * 3 + channel] } }
            })
        let explainers = try (Explainer(last), Explainer(first))
        for method in AttributionMethod.all {
            let a = try await explainers.0.explain([images], method: method, class: 2)
            let b = try await explainers.1.explain([turned], method: method, class: 2)
            if case .smoothGrad = method { continue }
            for (a, b) in zip(a, b) {
                #expect(a.values.shape == b.values.shape)
                if a.map.max() > 0 { expectNear(b.map.floats, a.map.floats, method.name) }
            }
        }
        let curves = try await (
            explainers.0.curve(.insertion, of: explainers.0.explain([images[0..<1]], class: 2)[0], steps: 5),
            explainers.1.curve(.insertion, of: explainers.1.explain([turned[0..<1]], class: 2)[0], steps: 5)
        )
        expectNear(
            curves.1.probabilities.map(Float.init), curves.0.probabilities.map(Float.init), "insertion")
    }

    @Test func sequencesHaveMapsOfHeightOne() async throws {
        let model = try Sequential(input: [20, 3], seed: 2) {
            Conv1D(filters: 4, kernelSize: 3, activation: .relu, name: "conv")
            MaxPooling1D()
            Conv1D(filters: 5, kernelSize: 3, activation: .relu)
            GlobalAveragePooling1D()
            Dense(units: 3, activation: .softmax)
        }
        try await disturbBiases(of: model)
        let explainer = try Explainer(model)
        for method in AttributionMethod.all {
            let attribution = try await explainer.explain([picture([2, 20, 3])], method: method)[1]
            #expect(attribution.map.shape == [1, 20])
            #expect(attribution.peak.row == 0)
        }
    }

    @Test func oneNumberTellsTwoClasses() async throws {
        let model = try await small(units: 1, activation: .sigmoid)
        let explainer = try Explainer(model)
        let images = try picture([1, 9, 7, 3])
        let probability = try await model.predict(images).scalar
        let ones = try await explainer.explain([images], method: .gradient, class: 1)[0]
        let zeros = try await explainer.explain([images], method: .gradient, class: 0)[0]
        #expect(abs(ones.probability - probability) < 1e-6)
        #expect(abs(zeros.probability - (1 - probability)) < 1e-6)
        #expect(abs(ones.score + zeros.score) < 1e-5)
        expectNear(zeros.values.floats, ones.values.floats.map { -$0 }, "gradient")
        let open = try await explainer.explain([images])[0]
        #expect(open.classIndex == (probability > 0.5 ? 1 : 0))
        // The dense layer has one column for both.
        for classIndex in 0...1 {
            let cam = try await explainer.explain([images], method: .cam, class: classIndex)[0]
            let other = try await explainer.explain([images], class: classIndex)[0]
            #expect(difference(cam.map, other.map) < 1e-4)
        }
    }

    private func difference(_ a: TensorValue, _ b: TensorValue) -> Float {
        zip(a.floats, b.floats).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    @Test func modelsWithoutSoftmaxGiveLogits() async throws {
        let (bare, probable) = (try await small(activation: .linear), try await small())
        let images = try picture([2, 9, 7, 3])
        let a = try await Explainer(bare).explain([images])
        let b = try await Explainer(probable).explain([images])
        #expect(a.map(\.classIndex) == b.map(\.classIndex))
        #expect(a.map(\.map) == b.map(\.map))
        for (a, b) in zip(a, b) { #expect(abs(a.probability - b.probability) < 1e-6) }
    }

    @Test func severalInputsAndOutputs() async throws {
        let images = LayerOutput.input("images", [8, 8, 1])
        let facts = LayerOutput.input("facts", [3])
        let conv = Conv2D(filters: 4, kernelSize: 3, activation: .relu, name: "conv")(images)
        let joined = Concatenate()([
            GlobalAveragePooling2D()(conv), Dense(units: 4, activation: .tanh)(facts),
        ])
        let kind = Dense(units: 3, activation: .softmax, name: "kind")(joined)
        let side = Dense(units: 1, activation: .sigmoid, name: "side")(joined)
        let model = try Model(inputs: [images, facts], outputs: [kind, side], name: "two")
        #expect(throws: InsightError.chooseOne("output", name: nil, known: ["kind", "side"])) {
            try Explainer(model)
        }
        #expect(throws: InsightError.chooseOne("output", name: "sied", known: ["kind", "side"])) {
            try Explainer(model, output: "sied")
        }
        let inputs = [try picture([2, 8, 8, 1]), try picture([2, 3], stream: 1)]
        for output in ["kind", "side"] {
            let explainer = try Explainer(model, output: output)
            for method in AttributionMethod.all where method != .cam {
                let attribution = try await explainer.explain(inputs, method: method)[0]
                #expect(attribution.map.shape == [8, 8])
            }
            let curve = try await explainer.curve(
                .deletion, of: explainer.explain(inputs)[1], steps: 4)
            #expect(curve.probabilities.count == 5)
        }
        let maps = try await Explainer(model, output: "kind").explain(inputs)
        #expect(maps[0].layer == "conv")
    }

    @Test func frozenLayersAndPicturesOfAnySize() async throws {
        let model = try Sequential(name: "scaled", input: [9, 7, 3], seed: 4) {
            Rescaling(scale: 2, offset: -1)
            Conv2D(filters: 5, kernelSize: 3, padding: .same, activation: .relu, name: "conv")
            BatchNormalization()
            GlobalAveragePooling2D()
            Dense(units: 4, activation: .softmax)
        }
        let wide = try Picture(
            height: 20, width: 30, channels: 3, pixels: (0..<1_800).map { UInt8($0 * 31 % 256) })
        let before = try await Explainer(model).explain(wide)
        #expect(before.map.shape == [9, 7])
        model.isTrainable = false
        let after = try await Explainer(model).explain(wide)
        #expect(after.map == before.map)
    }

    @Test func mapsAreLaidOverPicturesOfTheirOwnSize() async throws {
        let explainer = try await Explainer(small())
        let grey = try Picture(height: 18, width: 21, channels: 1, color: .grey(100))
        let attribution = try await explainer.explain([picture([1, 9, 7, 3])], class: 1)[0]
        for (method, colors) in [(AttributionMethod.gradient, ColorMap.turbo), (.occlusion(), .seismic)] {
            let attribution = try await explainer.explain([picture([1, 9, 7, 3])], method: method)[0]
            let full = try attribution.overlay(on: grey, opacity: 1)
            #expect(full.size == Size2D(18, 21) && full.channels == 3)
            // Without a shift, the middle of three times as wide pixels has their number.
            let heat = HeatMap(height: 9, width: 7, attribution.map.floats).resized(to: [18, 21]).elements
            let color = colors(Double(method.isSigned ? (heat[40] + 1) / 2 : heat[40]))
            #expect(full.pixels[120] == UInt8((color.red * 255).rounded()))
            #expect(try attribution.overlay(on: grey, opacity: 0) == grey.rgb())
        }
        #expect(throws: InsightError.self) { try attribution.overlay(on: grey, opacity: 1.5) }
    }

    // MARK: Sums

    @Test func integratedGradientsAddUpToTheChangeOfTheScore() async throws {
        let explainer = try await Explainer(small())
        let image = try picture([1, 9, 7, 3])
        let black = TensorValue(repeating: 0, shape: [1, 9, 7, 3])
        let attribution = try await explainer.explain(
            [image], method: .integratedGradients(steps: 400), class: 1)[0]
        let base = try await explainer.explain([black], method: .gradient, class: 1)[0]
        let change = attribution.score - base.score
        #expect(abs(attribution.values.sum() - change) < 2e-3 * max(1, abs(change)))
        #expect(attribution.map.floats.reduce(0) { max($0, abs($1)) } == 1)
    }

    @Test func smoothGradWithoutNoiseIsTheGradient() async throws {
        let explainer = try await Explainer(small())
        let image = try picture([1, 9, 7, 3])
        let plain = try await explainer.explain([image], method: .gradient, class: 1)[0]
        let smooth = try await explainer.explain(
            [image], method: .smoothGrad(samples: 3, noise: 0), class: 1, batchSize: 2)[0]
        expectNear(smooth.values.floats, plain.values.floats, "gradient", tolerance: 1e-5)
        let noisy = try await explainer.explain([image], method: .smoothGrad(samples: 4), class: 1)[0]
        #expect(noisy.values != smooth.values)
        let again = try await explainer.explain([image], method: .smoothGrad(samples: 4), class: 1)[0]
        #expect(again.values == noisy.values)
    }

    // MARK: What cannot be

    @Test func whatCannotBeExplainedIsSaid() async throws {
        let explainer = try await Explainer(small())
        let image = try picture([1, 9, 7, 3])
        func message(
            _ method: AttributionMethod = .gradCAM, class classIndex: Int? = nil, layer: String? = nil,
            _ inputs: [TensorValue]? = nil, of other: Explainer? = nil
        ) async -> String {
            do {
                _ = try await (other ?? explainer).explain(
                    inputs ?? [image], method: method, class: classIndex, layer: layer)
                return ""
            } catch { return "\(error)" }
        }
        #expect(await message(class: 4).contains("from 0 to 3"))
        #expect(await message(class: -1).contains("from 0 to 3"))
        #expect(await message(layer: "lats").contains("did you mean 'last'?"))
        #expect(await message(layer: "dense").contains("dense: its output [batch, 4] has no places"))
        #expect(await message(.cam, layer: "conv2d").contains("it looks at 'last'"))
        #expect(await message(.integratedGradients(steps: 0)).contains("steps"))
        #expect(await message(.smoothGrad(samples: 3, noise: .nan)).contains("noise"))
        #expect(await message(.occlusion(window: 0)).contains("window"))
        #expect(await message(.occlusion(fill: .infinity)).contains("fill"))
        #expect(await message(.gradCAM, [picture2]).contains("must be"))
        let spoilt = TensorValue(repeating: .nan, shape: [1, 9, 7, 3])
        #expect(await message(.gradCAM, [spoilt]).contains("NaN"))

        let flat = try Explainer(
            Sequential(name: "flat", input: [9, 7, 3]) {
                Flatten()
                Dense(units: 4)
            })
        #expect(await message(of: flat).contains("'flat' has no convolution"))
        #expect(await message(.cam, of: flat).contains("GlobalAveragePooling2D"))
        #expect(await message(.guidedBackpropagation, of: flat).contains("no ReLU"))
        #expect(await message(.gradient, of: flat) == "")
        let vector = try Explainer(Sequential(name: "vector", input: [5]) { Dense(units: 2) })
        #expect(
            await message(.gradient, [TensorValue(repeating: 1, shape: [1, 5])], of: vector)
                .contains("images [height, width, channels]"))
    }

    private var picture2: TensorValue { TensorValue(repeating: 0.5, shape: [1, 9, 8, 3]) }

    @Test func layersBesideTheWayDoNotDecide() async throws {
        let images = LayerOutput.input("images", [6, 6, 1])
        let a = Conv2D(filters: 2, kernelSize: 3, name: "a")(images)
        let b = Conv2D(filters: 2, kernelSize: 3, name: "b")(images)
        let model = try Model(
            inputs: [images],
            outputs: [
                Dense(units: 2, name: "first")(Flatten()(a)), Dense(units: 2, name: "second")(Flatten()(b)),
            ])
        let explainer = try Explainer(model, output: "first")
        #expect(try await explainer.explain([picture([1, 6, 6, 1])])[0].layer == "a")
        await #expect(throws: InsightError.doesNotDecide(layer: "b", output: "first")) {
            try await explainer.explain([picture([1, 6, 6, 1])], layer: "b")
        }
    }

    @Test func outputsThatAreNoClassesAreRefused() throws {
        let maps = try Sequential(name: "maps", input: [6, 6, 1]) { Conv2D(filters: 2, kernelSize: 3) }
        #expect(throws: InsightError.self) { try Explainer(maps) }
        let unbuilt = Sequential { Dense(units: 2) }
        #expect(throws: ShapeError.self) { try Explainer(unbuilt) }
    }
}
