import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

/// Comparison with what Keras and PyTorch agree on; Golden/make_spatial_layers.py makes the file.
@Suite struct SpatialGoldenTests {
    struct Golden: Decodable {
        struct Record: Decodable {
            let layer: String
            /// Arguments under Keras's keys.
            let arguments: Configuration
            let inputShape: [Int]
            let outputShape: [Int]
            let output: [Double]
            let gradients: [[Double]]
        }
        let cases: [Record]
    }

    /// Every kind of layer in the file, with arguments of no meaning where there are no defaults.
    private let layers: [any Layer] = [
        AdaptiveAveragePooling1D(outputSize: 1), AdaptiveAveragePooling2D(outputSize: 1),
        AdaptiveMaxPooling1D(outputSize: 1), AdaptiveMaxPooling2D(outputSize: 1), AveragePooling1D(),
        AveragePooling2D(), Conv1D(filters: 1, kernelSize: 1), Conv1DTranspose(filters: 1, kernelSize: 1),
        Conv2D(filters: 1, kernelSize: 1), Conv2DTranspose(filters: 1, kernelSize: 1), Cropping1D(),
        Cropping2D(), DepthwiseConv1D(kernelSize: 1), DepthwiseConv2D(kernelSize: 1), Flatten(),
        GlobalAveragePooling1D(), GlobalAveragePooling2D(), GlobalMaxPooling1D(), GlobalMaxPooling2D(),
        MaxPooling1D(), MaxPooling2D(), SeparableConv1D(filters: 1, kernelSize: 1),
        SeparableConv2D(filters: 1, kernelSize: 1), UpSampling1D(), UpSampling2D(), ZeroPadding1D(),
        ZeroPadding2D(),
    ]

    @Test func reference() async throws { try await compare(on: ReferenceBackend(), tolerance: 2e-6) }

    @Test func oneDNN() async throws { try await compare(on: OneDNNBackend(), tolerance: 1e-5) }

    private func compare(on backend: any Backend, tolerance: Double) async throws {
        let records = try golden("spatial_layers", as: Golden.self).cases
        #expect(Set(records.map(\.layer)) == Set(layers.map { type(of: $0).typeName }))
        for record in records {
            let what = "\(record.layer) of \(record.inputShape), \(record.arguments), \(backend.name)"
            let errors = try await errors(of: record, on: backend)
            #expect(errors.count == 1 + record.gradients.count, "\(what)")
            #expect(errors.allSatisfy { $0 < tolerance }, "\(what): \(errors)")
        }
    }

    /// How far output and gradients are off, relative to the largest of each.
    private func errors(of record: Golden.Record, on backend: any Backend) async throws -> [Double] {
        let model = try model(of: record)
        for (index, (_, parameter)) in model.parameters.enumerated() {
            let shape = try #require(parameter.variable?.shape)
            try await set(parameter, hashed(UInt64(2 + index), shape).floats)
        }
        #expect(try model.outputShape == Shape(Array(record.outputShape.dropFirst())))

        let x = Tensor.input("x", try model.inputShape)
        let upstream = Tensor.input("upstream", try model.outputShape)
        let y = try model(x)
        let gradients = try gradient(
            of: (y * upstream).sum(), withRespectTo: [x] + model.parameters.map { try $0.parameter.tensor })
        let feeds = [
            "x": try hashed(1, Shape(record.inputShape)),
            "upstream": try hashed(0, Shape(record.outputShape)),
        ]
        let results = try await Compute.run {
            let executable = try backend.compile(
                outputs: [y] + gradients, mode: .training, batch: record.inputShape[0])
            return try executable.run(feeds.filter { executable.inputs[$0.key] != nil })
        }
        return zip(results, [record.output] + record.gradients).map { difference($0.floats, $1) }
    }

    /// The layer, made from its settings as a file would have them.
    private func model(of record: Golden.Record) throws -> any ModelProtocol {
        let layer = try #require(layers.first { type(of: $0).typeName == record.layer })
        var settings = try layer.configuration
        for (key, value) in record.arguments {
            #expect(settings[key] != nil || key == "data_format", "\(record.layer) has no \(key)")
            settings[key] = value
        }
        settings["name"] = .null
        return try makeModel([
            "class_name": .string("Sequential"),
            "config": [
                "name": .string("model"),
                "layers": [["class_name": .string(record.layer), "config": .object(settings)]],
                "build_input_shape": .list([.null] + record.inputShape.dropFirst().map { .integer($0) }),
            ],
        ])
    }
}
