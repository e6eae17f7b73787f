import FoveaGraph
import FoveaOneDNN
import FoveaPlanner
import FoveaRuntime
import Testing

/// Convolutions whose results are pooled before they are stored, against the reference and in the plan.
@Suite struct PooledConvolutionTests {
    /// One convolution of few channels with max-pooling behind it, and what is wanted of it.
    private struct Layer {
        var image: Shape = [13, 12, 3]
        var filters = 32
        var kernelSize = 3
        var padding = Padding2D.none
        var pool = SlidingWindow(2, strides: 2)
        var hasBias = true
        var hasReLU = true
        var limit: Float?
        /// Gradients of the images as well, which need that of the convolution's whole result.
        var needsImages = false
        /// What was pooled is an output, too.
        var showsImages = false
        var precision = Precision.strict

        @Compute func check(batch: Int = 3, sourceLocation: SourceLocation = #_sourceLocation) throws -> Plan
        {
            func variable(_ name: String, _ shape: Shape) throws -> Variable {
                Variable(
                    name: name,
                    initial: try TensorValue(
                        shape: shape, (0..<shape.elementCount).map { Float(($0 * 7919) % 83) / 83 - 0.45 }))
            }
            let kernel = try variable("kernel", [kernelSize, kernelSize, image.channels, filters])
            let bias = try variable("bias", [filters])
            let images = Tensor.input("images", image)
            var y = try images.convolved(with: Tensor(kernel), Convolution(padding: padding))
            if hasBias { y = try y + Tensor(bias) }
            if hasReLU { y = try y.relu() }
            if let limit { y = try Tensor.minimum(y, .filled(limit, y.shape)) }
            let pooled = try y.maxPooled(pool)
            let loss = try (pooled * pooled * 0.5).sum()
            var wanted = [Tensor(kernel)] + (hasBias ? [Tensor(bias)] : [])
            if needsImages { wanted.append(images) }
            var outputs = [pooled] + (try gradient(of: loss, withRespectTo: wanted))
            if showsImages { outputs.append(y) }
            let shape = Shape([batch] + image.dimensions)
            let pixels = try TensorValue(
                shape: shape, (0..<shape.elementCount).map { Float(($0 * 31) % 57) / 57 - 0.3 })
            func values(_ backend: any Backend) throws -> [TensorValue] {
                let executable = try backend.compile(outputs: outputs, mode: .training, batch: batch)
                return try executable.run(["images": pixels], step: 0, seed: 0)
            }
            let backend = OneDNNBackend(precision: precision)
            for (found, expected) in zip(try values(backend), try values(ReferenceBackend())) {
                let scale = max(1, expected.floats.map(abs).max() ?? 0)
                let error = zip(found.floats, expected.floats).map { abs($0 - $1) }.max() ?? 0
                #expect(error <= 1e-5 * scale, "\(self)", sourceLocation: sourceLocation)
            }
            return try backend.plan(BoundGraph(outputs: outputs, updates: [], mode: .training, batch: batch))
        }
    }

    /// Behind other convolutions: gradients of images and of the kernel read that of the pooled images.
    @Test(arguments: [3, 5]) @Compute func manyChannels(kernelSize: Int) throws {
        guard OneDNNBackend.vectorKind != "baseline", OneDNNBackend.bfloat16Unit != "amx" else { return }
        var layer = Layer()
        (layer.image, layer.filters, layer.kernelSize) = ([18, 17, 16], 32, kernelSize)
        layer.padding = Padding2D(top: 1, bottom: 2, left: 1, right: 2)
        (layer.needsImages, layer.precision) = (true, .float32)
        let plan = try layer.check(batch: 5)
        let names = names(plan)
        #expect(!names.contains("pooling") && !names.contains("pooling gradient"), "\(names)")
        #expect(plan.calls.filter { $0.note.hasPrefix("winograd") }.count == 3)
        #expect(plan.calls.filter { $0.note.contains("pooling gradient") }.count == 2)
    }

    private func names(_ plan: Plan) -> [String] { plan.calls.map(\.request.name) }

    @Test @Compute func neitherImagesNorTheirGradientAreStored() throws {
        let plan = try Layer().check()
        let names = names(plan)
        #expect(!names.contains("pooling") && !names.contains("pooling gradient"))
        #expect(
            plan.calls.contains {
                $0.note.contains("+ bias + pooling") || $0.note.contains("+ bias + relu + pooling")
            })
        #expect(plan.calls.contains { $0.note.hasSuffix("+ bias gradient + pooling gradient") })
    }

    /// The gradient of the whole result is made where somebody wants it; the result itself is still not.
    @Test @Compute func gradientOfImages() throws {
        var layer = Layer()
        layer.needsImages = true
        let names = names(try layer.check())
        #expect(!names.contains("pooling") && names.contains("pooling gradient"))
    }

    @Test @Compute func resultsThatAreWanted() throws {
        var layer = Layer()
        layer.showsImages = true
        #expect(names(try layer.check()).contains("pooling"))
    }

    @Test @Compute func otherPoolings() throws {
        for pool in [
            SlidingWindow(3, strides: 2), SlidingWindow(2, strides: 1), SlidingWindow(3, strides: 3),
            SlidingWindow(2, strides: 2, padding: Padding2D(top: 1, bottom: 0, left: 0, right: 1)),
        ] {
            var layer = Layer()
            layer.pool = pool
            #expect(names(try layer.check()).contains("pooling"))
        }
    }

    @Test @Compute func shapes() throws {
        for channels in [1, 2, 3, 4, 5] {
            for filters in [16, 20, 48] {
                var layer = Layer()
                (layer.image, layer.filters) = ([9, 14, channels], filters)
                layer.padding = Padding2D(top: 1, bottom: 2, left: 0, right: 1)
                let isPooled = !names(try layer.check(batch: 1)).contains("pooling")
                #expect(isPooled == (channels < 5 && filters != 20), "\(channels) to \(filters)")
            }
        }
    }

    @Test @Compute func whatStandsBetween() throws {
        var layer = Layer()
        (layer.hasBias, layer.hasReLU) = (false, false)
        _ = try layer.check()
        layer.hasBias = true
        _ = try layer.check()
        (layer.hasReLU, layer.limit) = (true, 0.4)
        _ = try layer.check()
    }
}
