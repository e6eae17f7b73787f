import Fovea
import Testing

/// The calls in the guides' tables that draw, and that show what a network sees.
@Suite struct FigureCalls {
    private func network() throws -> Sequential {
        try Sequential(name: "small", input: [28, 28, 1], seed: 1) {
            Conv2D(filters: 4, kernelSize: 3, strides: 2, activation: .relu, name: "conv")
            Flatten()
            Dense(units: 5, activation: .softmax)
        }
    }

    @Test func figures() async throws {
        let (data, names) = (try GuideData.shapes(), GuideData.classNames)
        let (x, y) = ([1.0, 2, 3], [4.0, 2, 3])
        var panel = Panel(
            title: "loss", xLabel: "epoch", [.line(y, x: x, label: "training"), .scatter(y, x: x)])
        panel.yScale = .log
        panel.marks += [.bars(y), .histogram(y, bins: 10)]
        let image = try data.test.images(0..<1)[0]
        let heat = Panel([.image(image, colorMap: .viridis)])
        let figure = Figure([panel, heat], columns: 2)
        try await GuideData.withFolder { folder in
            let file = "\(folder)/figure.svg"
            try figure.write(to: file)
        }
        let model = try network()
        let trainer = try model.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
        let history = try await trainer.fit(data.train, epochs: 2, verbosity: .silent)
        #expect(try history.plot().panels.count == 2)
        let examples = Dataset(data.test)
        let predictor = try Predictor(model, classNames: names)
        let report = try await predictor.report(on: examples)
        #expect(report.confusion.plot().panels.count == 1)
        #expect(try report.plotWorst(4, of: examples).panels.count == 4)
        let scores = try await model.predict(data.test.inputs[0])
        let labels = data.test.targets[0].integers.map { Int($0) }
        #expect(try !ClassCurves(labels: labels, scores: scores, classNames: names).roc.isEmpty)
        #expect(try Figure.images(of: data.test, count: 4, classNames: names).panels.count == 4)
    }

    @Test func insight() async throws {
        let (data, model) = (try GuideData.shapes(), try network())
        let images = try data.test[0..<6].inputs[0]
        #expect(try await model.activations(of: ["conv"], for: images)["conv"]?.shape == [6, 13, 13, 4])
        let picture = try data.test.images(0..<1)[0]
        let explainer = try Explainer(model)
        let attribution = try await explainer.explain(picture, method: .gradCAM)
        #expect(try attribution.overlay(on: picture).channels == 3)
        let integrated = try await explainer.explain(picture, method: .integratedGradients(steps: 2))
        #expect(integrated.map.shape == [28, 28])
        #expect(try await Figure.filters(of: model.filters().kernel).panels.count == 1)
        let maximizer = try ActivationMaximizer(model, layer: "conv")
        let ascent = GradientAscent(steps: 2)
        #expect(try await maximizer.maximize([0, 1], by: ascent).pictures.count == 2)
        let features = try await Predictor(model.featureExtractor()).features(of: Dataset(data.test))
        let points = try await TSNE(perplexity: 3, iterations: 5).embed(features.inputs[0])
        let components = try PrincipalComponents(of: features.inputs[0], count: 2)
        #expect(try components.project(features.inputs[0]).shape == points.shape)
        let labels = features.targets[0].integers.map { Int($0) }
        #expect(try Figure.embedding(points, labels: labels).panels.count == 1)
    }
}
