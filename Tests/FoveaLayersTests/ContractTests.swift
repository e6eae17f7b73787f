import Foundation
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

/// A layer that the contract is tested with.
struct ContractCase: Sendable, CustomTestStringConvertible {
    let layerType: any Layer.Type
    /// One example's shapes.
    let inputs: [Shape]
    let make: @Sendable () throws -> any Layer
    let number: Int

    var testDescription: String { "\(layerType.typeName) of \(inputs), row \(number)" }

    /// A model of this layer alone, whose parameters all have different values.
    func model() async throws -> Model {
        let layer = try make()
        let inputs = inputs.enumerated().map { LayerOutput.input("x\($0)", $1) }
        let model = try Model(inputs: inputs, outputs: [layer(inputs)], name: "model", seed: 5)
        for (index, (path, parameter)) in model.parameters.enumerated() {
            let shape = try #require(parameter.variable?.shape)
            let values = try hashed(UInt64(40 + index), shape).floats
            try await set(parameter, path.hasSuffix("variance") ? values.map { abs($0) + 0.25 } : values)
        }
        return model
    }

    func feeds(batch: Int) throws -> [String: TensorValue] {
        var feeds: [String: TensorValue] = [:]
        for (index, shape) in inputs.enumerated() {
            feeds["x\(index)"] = try hashed(UInt64(1 + index), Shape([batch] + shape.dimensions))
        }
        return feeds
    }

    private init(_ number: Int, _ row: (any Layer.Type, [Shape], @Sendable () throws -> any Layer)) {
        (layerType, inputs, make) = row
        self.number = number
    }

    // MARK: The table

    static let all = table.enumerated().map { ContractCase($0, $1) }

    private static let image: Shape = [5, 7, 4]

    /// Every layer of the library, with the arguments that make a difference. A new layer gets a row here.
    private static let table: [(any Layer.Type, [Shape], @Sendable () throws -> any Layer)] = [
        (Activation.self, [[6]], { Activation(.mish) }),
        (Activation.self, [image], { Activation(.logSoftmax) }),
        (ActivityRegularization.self, [image], { ActivityRegularization(l1: 0.25, l2: 0.5) }),
        (AdaptiveAveragePooling1D.self, [[9, 4]], { AdaptiveAveragePooling1D(outputSize: 4) }),
        (AdaptiveAveragePooling2D.self, [image], { AdaptiveAveragePooling2D(outputSize: [3, 9]) }),
        (
            AdaptiveMaxPooling1D.self, [[4, 9]],
            { AdaptiveMaxPooling1D(outputSize: 3, dataFormat: .channelsFirst) }
        ),
        (AdaptiveMaxPooling2D.self, [image], { AdaptiveMaxPooling2D(outputSize: [2, 5]) }),
        (Add.self, [image, [4], [5, 7, 1]], { Add() }),
        (AlphaDropout.self, [image], { AlphaDropout(rate: 0.25) }),
        (Average.self, [image, image, image], { Average() }),
        (AveragePooling2D.self, [image], { AveragePooling2D(poolSize: [2, 3], padding: .same) }),
        (AveragePooling1D.self, [[9, 4]], { AveragePooling1D(poolSize: 2, strides: 3, padding: .same) }),
        (
            BatchNormalization.self, [image],
            { BatchNormalization(momentum: 0.5, gammaRegularizer: .l2(), betaConstraint: .nonNegative) }
        ),
        (BatchNormalization.self, [image], { BatchNormalization(axis: 1, center: false) }),
        (BatchNormalization.self, [[6]], { BatchNormalization(epsilon: 0.125, scale: false) }),
        (CenterCrop.self, [image], { CenterCrop(height: 3, width: 4) }),
        (Concatenate.self, [image, [5, 7, 1]], { Concatenate() }),
        (Concatenate.self, [image, [3, 7, 4]], { Concatenate(axis: 1) }),
        (
            Conv2D.self, [image],
            {
                Conv2D(
                    filters: 6, kernelSize: [3, 2], strides: [1, 2], padding: .same, groups: 2,
                    activation: .tanh,
                    kernelRegularizer: .l1l2(), biasRegularizer: .l1(), activityRegularizer: .l2(),
                    kernelConstraint: .maxNorm(axes: [0, 1, 2]), biasConstraint: .unitNorm())
            }
        ),
        (Conv2D.self, [image], { Conv2D(filters: 3, kernelSize: 2, dilationRate: [2, 1], useBias: false) }),
        (
            Conv1D.self, [[9, 4]],
            { Conv1D(filters: 6, kernelSize: 3, padding: .causal, dilationRate: 2, groups: 2) }
        ),
        (
            Conv1D.self, [[4, 9]],
            { Conv1D(filters: 3, kernelSize: 2, strides: 2, dataFormat: .channelsFirst, activation: .relu) }
        ),
        (
            Conv1DTranspose.self, [[9, 4]],
            { Conv1DTranspose(filters: 3, kernelSize: 3, strides: 2, outputPadding: 1, activation: .tanh) }
        ),
        (Conv2D.self, [[4, 5, 7]], { Conv2D(filters: 2, kernelSize: 3, dataFormat: .channelsFirst) }),
        (
            Conv2DTranspose.self, [image],
            {
                Conv2DTranspose(
                    filters: 3, kernelSize: [3, 2], strides: [2, 3], padding: .same, activation: .tanh,
                    kernelRegularizer: .l2())
            }
        ),
        (Cropping1D.self, [[9, 4]], { Cropping1D(cropping: (start: 2, end: 1)) }),
        (Cropping2D.self, [image], { Cropping2D(cropping: [1, 2]) }),
        (
            DepthwiseConv1D.self, [[9, 4]],
            { DepthwiseConv1D(kernelSize: 3, padding: .same, depthMultiplier: 2, dilationRate: 2) }
        ),
        (
            DepthwiseConv2D.self, [image],
            { DepthwiseConv2D(kernelSize: [3, 2], strides: 2, padding: .same, depthMultiplier: 2) }
        ),
        (Dense.self, [[6]], { Dense(units: 3, activation: .selu, kernelConstraint: .minMaxNorm()) }),
        (Dense.self, [[3, 6]], { Dense(units: 2, useBias: false) }),
        (Dot.self, [image, [7, 3]], { Dot(axes: (2, 1)) }),
        (Dot.self, [[6], [6]], { Dot(axes: -1, normalize: true) }),
        (Dropout.self, [image], { Dropout(rate: 0.25) }),
        (ELU.self, [[6]], { ELU(alpha: 0.5) }),
        (Flatten.self, [image], { Flatten() }),
        (GaussianDropout.self, [image], { GaussianDropout(rate: 0.25) }),
        (GaussianNoise.self, [image], { GaussianNoise(stddev: 0.5) }),
        (GlobalAveragePooling2D.self, [image], { GlobalAveragePooling2D(keepDims: true) }),
        (GlobalAveragePooling1D.self, [[9, 4]], { GlobalAveragePooling1D() }),
        (GlobalMaxPooling1D.self, [[4, 9]], { GlobalMaxPooling1D(dataFormat: .channelsFirst) }),
        (GlobalMaxPooling2D.self, [image], { GlobalMaxPooling2D() }),
        (
            GroupNormalization.self, [image],
            { GroupNormalization(groups: 2, gammaRegularizer: .l2(), betaConstraint: .nonNegative) }
        ),
        (GroupNormalization.self, [image], { GroupNormalization(groups: -1, axis: 1, center: false) }),
        (Identity.self, [image], { Identity() }),
        (LayerNormalization.self, [image], { LayerNormalization() }),
        (LayerNormalization.self, [image], { LayerNormalization(axes: [1, -1], betaRegularizer: .l1()) }),
        (LeakyReLU.self, [[6]], { LeakyReLU(negativeSlope: 0.125) }),
        (LocalResponseNormalization.self, [image], { LocalResponseNormalization(depthRadius: 1, bias: 2) }),
        (
            LocalResponseNormalization.self, [[6]],
            { LocalResponseNormalization(depthRadius: .max, beta: 0.75) }
        ),
        (MaxPooling2D.self, [image], { MaxPooling2D(poolSize: [3, 2], strides: 1) }),
        (MaxPooling1D.self, [[9, 4]], { MaxPooling1D(poolSize: 3, padding: .same) }),
        (Maximum.self, [image, image], { Maximum() }),
        (Minimum.self, [image, image], { Minimum() }),
        (
            Model.self, [image, image],
            {
                let (a, b) = (LayerOutput.input("a", image), LayerOutput.input("b", image))
                // A bias before a normalization would have no gradient.
                let shared = Conv2D(filters: 2, kernelSize: 1, useBias: false)
                let joined = BatchNormalization()(Add()([shared(a), shared(b)]))
                return try Model(inputs: [a, b], outputs: [Dense(units: 2)(Flatten()(joined))])
            }
        ),
        (Multiply.self, [image, [1, 1, 4]], { Multiply() }),
        (Normalization.self, [image], { try Normalization(adaptedTo: hashed(9, [2, 5, 7, 4])) }),
        (Normalization.self, [image], { Normalization(axis: 1, mean: [0.5], variance: [0.125]) }),
        (PReLU.self, [image], { PReLU(sharedAxes: [1, 2], alphaInitializer: .constant(0.25)) }),
        (PReLU.self, [[6]], { PReLU(alphaRegularizer: .l2(), alphaConstraint: .nonNegative) }),
        (Permute.self, [image], { Permute(dims: [3, 1, 2]) }),
        (RMSNormalization.self, [image], { RMSNormalization() }),
        (RMSNormalization.self, [image], { RMSNormalization(axes: [1, 3], epsilon: 0.125) }),
        (RandomBrightness.self, [image], { RandomBrightness(factor: 0.25, valueRange: -1...1) }),
        (RandomContrast.self, [image], { RandomContrast(factor: 0.5, valueRange: -1...1) }),
        (RandomCrop.self, [image], { RandomCrop(height: 3, width: 4) }),
        (RandomCrop.self, [image], { RandomCrop(height: 6, width: 2) }),
        (RandomFlip.self, [image], { RandomFlip() }),
        (RandomFlip.self, [image], { RandomFlip(mode: .vertical, dataFormat: .channelsFirst) }),
        (
            RandomTranslation.self, [image],
            { RandomTranslation(heightFactor: 0.5, widthFactor: [-0.25, 0.75], fillMode: .wrap) }
        ),
        (
            RandomTranslation.self, [image],
            {
                RandomTranslation(
                    heightFactor: 0, widthFactor: 1, fillMode: .constant, interpolation: .nearest,
                    fillValue: 0.5)
            }
        ),
        (RandomErasing.self, [image], { RandomErasing() }),
        (
            RandomErasing.self, [image],
            { RandomErasing(factor: 0.5...0.75, scale: 0...1, fillValue: 0.25, valueRange: -1...2) }
        ),
        (RandomHue.self, [[5, 7, 3]], { RandomHue(factor: 0...0.5) }),
        (RandomSaturation.self, [[5, 7, 3]], { RandomSaturation(factor: 0.25...0.5, valueRange: -1...2) }),
        (
            RandomShear.self, [image],
            { RandomShear(xFactor: [0.25, 0.5], yFactor: 0.5, fillMode: .constant, fillValue: 2) }
        ),
        (
            RandomRotation.self, [image],
            { RandomRotation(factor: [-0.25, 0.5], fillMode: .wrap, interpolation: .nearest) }
        ),
        (RandomZoom.self, [image], { RandomZoom(heightFactor: 0.5) }),
        (ReLU.self, [image], { ReLU() }),
        (ReLU.self, [image], { ReLU(maxValue: 0.5, negativeSlope: 0.25, threshold: 0.125) }),
        (RepeatVector.self, [[6]], { RepeatVector(n: 3) }),
        (Rescaling.self, [image], { Rescaling(scale: 0.25, offset: -1) }),
        (Resizing.self, [image], { Resizing(height: 3, width: 9) }),
        (
            Resizing.self, [image],
            { Resizing(height: 4, width: 4, interpolation: .nearest, cropToAspectRatio: true) }
        ),
        (Reshape.self, [image], { Reshape(targetShape: [-1, 2]) }),
        (
            SeparableConv1D.self, [[4, 9]],
            { SeparableConv1D(filters: 5, kernelSize: 3, strides: 2, dataFormat: .channelsFirst) }
        ),
        (
            SeparableConv2D.self, [image],
            {
                SeparableConv2D(
                    filters: 5, kernelSize: 3, padding: .same, depthMultiplier: 2,
                    pointwiseRegularizer: .l1(), depthwiseConstraint: .unitNorm(axes: [0, 1]))
            }
        ),
        (UnitNormalization.self, [image], { UnitNormalization() }),
        (UnitNormalization.self, [image], { UnitNormalization(axes: [1, 2]) }),
        (UpSampling1D.self, [[9, 4]], { UpSampling1D(size: 3, interpolation: .bilinear) }),
        (UpSampling2D.self, [image], { UpSampling2D(size: [2, 3]) }),
        (UpSampling2D.self, [image], { UpSampling2D(interpolation: .bilinear) }),
        (ZeroPadding1D.self, [[9, 4]], { ZeroPadding1D(padding: (start: 2, end: 1)) }),
        (ZeroPadding2D.self, [image], { ZeroPadding2D(padding: [2, 1]) }),
        (
            Sequential.self, [image],
            {
                Sequential {
                    Conv2D(filters: 3, kernelSize: 2, useBias: false)
                    BatchNormalization()
                    ReLU()
                    GlobalAveragePooling2D()
                }
            }
        ),
        (Softmax.self, [image], { Softmax(axis: 1) }),
        (SpatialDropout1D.self, [[9, 4]], { SpatialDropout1D(rate: 0.5) }),
        (SpatialDropout2D.self, [image], { SpatialDropout2D(rate: 0.5) }),
        (SpatialDropout2D.self, [image], { SpatialDropout2D(rate: 0.5, dataFormat: .channelsFirst) }),
        (Subtract.self, [image, [4]], { Subtract() }),
    ]
}

/// What holds for every layer.
@Suite struct ContractTests {
    private static let backends: [any Backend] = [ReferenceBackend(), OneDNNBackend()]

    @Test func everyBuiltInLayerIsInTheTable() {
        #expect(Set(ContractCase.all.map { $0.layerType.typeName }) == Set(builtInLayers.map { $0.typeName }))
        #expect(Set(builtInLayers.map { $0.typeName }).count == builtInLayers.count)
    }

    private func call(_ model: Model) throws -> Tensor {
        try model(model.modelInputs.map { Tensor.input($0.name, $0.shape) })
    }

    /// Equal up to rounding.
    private func expectClose(_ a: TensorValue, _ b: TensorValue, _ what: String) {
        #expect(a.shape == b.shape && a.dtype == b.dtype, "\(what)")
        #expect(difference(a.floats, b.doubles) < 1e-5, "\(what)")
    }

    @Test(arguments: ContractCase.all) func outputsAreAsDeclaredOnEveryBackend(row: ContractCase) async throws
    {
        let model = try await row.model()
        let y = try call(model)
        #expect(type(of: model.layers[0]) == row.layerType)
        #expect(y.shape.dimensions.first == Shape.batch && y.dtype == .float32)
        #expect(try Shape(Array(y.shape.dimensions.dropFirst())) == model.outputShape)
        #expect(model.calls[0].outputShapes == [y.shape])
        for mode in [Mode.inference, .training] {
            for batch in [1, 3] {
                let feeds = try row.feeds(batch: batch)
                let values = try await Compute.run {
                    // Moving averages follow from the same start.
                    let start = try model.parameters.map { try $0.parameter.variable?.value() }
                    return try Self.backends.map { backend in
                        for (place, value) in zip(model.parameters, start) {
                            if let value { try place.parameter.variable?.assign(value) }
                        }
                        let executable = try backend.compile(outputs: [y], mode: mode, batch: batch)
                        return try executable.run(feeds, step: 11, seed: 3)[0]
                    }
                }
                #expect(values[0].shape == y.shape.bound(batch: batch) && values[0].dtype == .float32)
                #expect(values[0].floats.allSatisfy { $0.isFinite })
                expectClose(values[1], values[0], "\(mode), batch \(batch)")
            }
        }
    }

    /// In inference an example's output does not depend on the others.
    @Test(arguments: ContractCase.all) func examplesAreIndependent(row: ContractCase) async throws {
        let model = try await row.model()
        let y = try call(model)
        let feeds = try row.feeds(batch: 3)
        let together = try await evaluate(y, feeds: feeds, batch: 3)
        for example in 0..<3 {
            let alone = try await evaluate(
                y,
                feeds: try feeds.mapValues { value in
                    let count = value.floats.count / 3
                    return try TensorValue(
                        shape: Shape([1] + value.shape.dimensions.dropFirst()),
                        Array(value.floats[example * count..<(example + 1) * count]))
                }, batch: 1)
            let count = alone.floats.count
            #expect(
                difference(
                    alone.floats, Array(together.doubles[example * count..<(example + 1) * count])) < 1e-6)
        }
    }

    /// One step of stochastic gradient descent.
    @Compute
    private func train(_ model: Model, _ y: Tensor, _ feeds: [String: TensorValue], on backend: any Backend)
        throws
    {
        let upstream = Tensor.input("upstream", try model.outputShape)
        let loss = try addedLosses(of: [y]).reduce((y * upstream).sum()) { try $0 + $1 }
        let learned = model.trainableParameters.map(\.parameter)
        let slopes = try gradient(of: loss, withRespectTo: learned.map { try $0.tensor })
        let updates = try zip(learned, slopes).compactMap { parameter, slope in
            try parameter.variable.map { try Update($0, to: parameter.tensor - slope * 0.125) }
        }
        let executable = try backend.compile(outputs: [loss], updates: updates, mode: .training, batch: 3)
        var feeds = feeds
        feeds["upstream"] = try hashed(30, y.shape.bound(batch: 3))
        let value = try executable.run(feeds)[0]
        #expect(value.scalar.isFinite)
    }

    @Test(arguments: ContractCase.all) func trainingChangesWhatItMay(row: ContractCase) async throws {
        for backend in Self.backends {
            let model = try await row.model()
            let feeds = try row.feeds(batch: 3)
            let before = try await values(of: model)
            try await train(model, call(model), feeds, on: backend)
            let after = try await values(of: model)
            for (index, place) in model.parameters.enumerated() {
                // What is not learned is kept by the layer itself, which also changes in training.
                #expect(before[index] != after[index], "\(place.path) on \(backend.name)")
                #expect(after[index].allSatisfy { $0.isFinite }, "\(place.path) on \(backend.name)")
            }
            model.isTrainable = false
            #expect(model.trainableParameters.isEmpty)
            try await train(model, call(model), feeds, on: backend)
            #expect(try await values(of: model) == after, "frozen, on \(backend.name)")
        }
    }

    @Test(arguments: ContractCase.all) func configurationsMakeTheSameLayer(row: ContractCase) async throws {
        let model = try await row.model()
        let data = try JSONEncoder().encode(model.architecture)
        let read = try JSONDecoder().decode(Configuration.self, from: data)
        let copy = try #require(try makeModel(read) as? Model)
        #expect(try copy.architecture == model.architecture)
        #expect(copy.summary() == model.summary())
        #expect(copy.parameters.map(\.path) == model.parameters.map(\.path))
        for (place, values) in zip(copy.parameters, try await values(of: model)) {
            try await set(place.parameter, values)
        }
        let feeds = try row.feeds(batch: 2)
        for training in [false, true] {
            let output = try await evaluate(call(model), feeds: feeds, batch: 2, training: training)
            let copied = try await evaluate(call(copy), feeds: feeds, batch: 2, training: training)
            #expect(output == copied)
        }
    }
}
