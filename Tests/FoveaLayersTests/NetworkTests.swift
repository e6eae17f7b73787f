import FoveaGraph
import FoveaLayers
import FoveaModels
import Testing

@Suite struct NetworkTests {
    @Test(arguments: [
        ("fashion-cnn", 225_034), ("single-conv", 804_554), ("mnist-cnn", 93_322),
        ("wide-kernel-cnn", 3_274_634),
        ("cats-dogs-cnn", 3_453_121), ("softmax-regression", 7_850),
    ])
    func parameterTotals(name: String, total: Int) throws {
        let network = try NamedNetwork.named(name)
        let model = try network.model()
        #expect(model.parameterCount == total && model.trainableParameterCount == total)
        #expect(try model.inputShape == network.inputShape)
        #expect(try model.outputShape == [network.outputCount])
        let last = try #require(model.layers.last as? Dense)
        switch network.output {
        case .classProbabilities: #expect(last.activation == .softmax)
        case .classLogits: #expect(last.activation == .linear)
        case .binaryProbability: #expect(last.activation == .sigmoid)
        }
    }

    @Test func everyNetworkIsListed() {
        #expect(NamedNetwork.measured == Array(NamedNetwork.allCases.prefix(6)))
        #expect(Set(NamedNetwork.allCases.map(\.summary)).count == NamedNetwork.allCases.count)
    }

    @Test func unknownNames() {
        let near = #expect(throws: UnknownNetworkError.self) { try NamedNetwork.named("fashon-cnn") }
        #expect(near?.description == "there is no network 'fashon-cnn'; did you mean 'fashion-cnn'?")
        let far = #expect(throws: UnknownNetworkError.self) { try NamedNetwork.named("qwertyuiop") }
        #expect(far?.description.contains("known are fashion-cnn, single-conv") == true)
    }

    @Test func probabilitiesOfAWholeNetwork() async throws {
        let model = try NamedNetwork.softmaxRegression.model(seed: 1)
        let y = try await outputs(of: model, for: hashed(1, [2, 28, 28, 1])).floats
        #expect(y.count == 20 && abs(y.prefix(10).reduce(0, +) - 1) < 1e-5 && y.allSatisfy { $0 > 0 })
    }
}

@Suite struct SummaryTests {
    @Test func tableGrowsWithLongNames() throws {
        let model = try Sequential(name: "m", input: [3, 4]) {
            Dense(units: 5, name: "a_layer_whose_name_is_much_longer_than_the_column_is_wide")
            Reshape(targetShape: [1, 1, 1, 1, 1, 1, 1, 15, -1])
        }
        let lines = model.summary().split(separator: "\n")
        #expect(lines[0] == #"Model: "m""#)
        #expect(Set(lines[1...7].map(\.count)).count == 1)
        #expect(lines[4].contains("wide (Dense) │ (None, 3, 5) "))
        #expect(lines[6].contains("(None, 1, 1, 1, 1, 1, 1, 1, 15, 1) │"))
    }

    @Test func frozenAndNested() throws {
        let block = Sequential(name: "block") { Dense(units: 300) }
        let model = try Sequential(name: "m", input: [1000]) {
            block
            Dense(units: 1)
        }
        for (_, parameter) in block.parameters { parameter.isTrainable = false }
        let text = model.summary()
        #expect(
            text.contains("│ block (Sequential)                │ (None, 300)              │       300,300 │"))
        #expect(text.contains(" Total params: 300,601 (1.15 MB)\n"))
        #expect(text.contains(" Trainable params: 301 (1.18 KB)\n"))
        #expect(text.hasSuffix(" Non-trainable params: 300,300 (1.15 MB)\n"))
    }

    @Test func beforeTheBuild() {
        let text = Sequential { Dense(units: 3) }.summary()
        #expect(
            text.contains("│ dense (Dense)                     │ ?                        │   0 (unbuilt) │"))
    }
}
