import CKernels
import FoveaGraph
import Testing

/// Convolutions and products on the bfloat16 units against sums in double, for shapes that leave tiles, blocks of images and
/// workers partly filled. Scratch memory starts as NaN: nothing may depend on what was there.
///
/// On the compute thread, because other tests there choose a unit too.
@Suite(.serialized) struct BFloat16KernelTests {
    private struct Shape: CustomTestStringConvertible {
        var batch, height, width, channels, filters: Int
        var window, padding: (rows: Int, columns: Int)
        /// Rows and columns of padding behind.
        var after: (rows: Int, columns: Int)
        var strides = (rows: 1, columns: 1)
        var dilations = (rows: 1, columns: 1)

        var output: (height: Int, width: Int) {
            func extent(_ padded: Int, _ window: Int, _ stride: Int, _ dilation: Int) -> Int {
                (padded - (window - 1) * dilation - 1) / stride + 1
            }
            return (
                extent(height + padding.rows + after.rows, window.rows, strides.rows, dilations.rows),
                extent(
                    width + padding.columns + after.columns, window.columns, strides.columns,
                    dilations.columns)
            )
        }
        var testDescription: String {
            "\(batch)×\(height)×\(width)×\(channels) to \(filters), window \(window), padding \(padding), \(after), "
                + "strides \(strides), dilations \(dilations)"
        }

        func kernel(terms: Int, workers: Int) -> fovea_bfloat16_convolution {
            var c = fovea_bfloat16_convolution()
            (c.terms, c.workers) = (Int32(terms), Int32(workers))
            (c.batch, c.height, c.width) = (Int64(batch), Int64(height), Int64(width))
            (c.channels, c.filters) = (Int64(channels), Int64(filters))
            c.window = (Int64(window.rows), Int64(window.columns))
            c.strides = (Int64(strides.rows), Int64(strides.columns))
            c.dilations = (Int64(dilations.rows), Int64(dilations.columns))
            c.padding = (Int64(padding.rows), Int64(padding.columns))
            (c.output_height, c.output_width) = (Int64(output.height), Int64(output.width))
            return c
        }
    }

    private static let shapes = [
        Shape(
            batch: 3, height: 7, width: 9, channels: 16, filters: 16, window: (3, 2), padding: (1, 0),
            after: (1, 0)),
        Shape(
            batch: 1, height: 33, width: 5, channels: 48, filters: 32, window: (5, 3), padding: (2, 2),
            after: (1, 0)),
        Shape(
            batch: 5, height: 5, width: 5, channels: 32, filters: 64, window: (3, 3), padding: (0, 0),
            after: (0, 0)),
        Shape(
            batch: 2, height: 4, width: 6, channels: 16, filters: 48, window: (1, 1), padding: (0, 0),
            after: (0, 0)),
        Shape(
            batch: 2, height: 3, width: 4, channels: 16, filters: 32, window: (3, 4), padding: (0, 0),
            after: (0, 0)),
        Shape(
            batch: 1, height: 40, width: 50, channels: 32, filters: 16, window: (3, 3), padding: (1, 1),
            after: (1, 1)),
        Shape(
            batch: 2, height: 3, width: 3, channels: 16, filters: 16, window: (3, 3), padding: (2, 2),
            after: (2, 2)),
        // Two columns of 16 channels at a time, of an even window, in padding alone, and turned around.
        Shape(
            batch: 2, height: 5, width: 18, channels: 16, filters: 16, window: (2, 4), padding: (1, 3),
            after: (0, 3)),
        // Images side by side: of one group, of several, of a group not filled, of an odd number of groups.
        Shape(
            batch: 16, height: 3, width: 4, channels: 48, filters: 32, window: (3, 3), padding: (1, 1),
            after: (1, 1)),
        Shape(
            batch: 45, height: 2, width: 2, channels: 32, filters: 48, window: (3, 3), padding: (1, 1),
            after: (1, 1)),
        Shape(
            batch: 32, height: 1, width: 3, channels: 16, filters: 80, window: (1, 3), padding: (0, 1),
            after: (0, 1)),
        // Strides and dilations: with pixels left over, that the window leaves out, and with results that read nothing.
        Shape(
            batch: 11, height: 7, width: 6, channels: 32, filters: 16, window: (3, 3), padding: (0, 0),
            after: (1, 1), strides: (2, 2)),
        Shape(
            batch: 18, height: 5, width: 8, channels: 48, filters: 32, window: (1, 1), padding: (0, 0),
            after: (0, 0), strides: (2, 3)),
        Shape(
            batch: 16, height: 9, width: 7, channels: 16, filters: 32, window: (2, 3), padding: (2, 1),
            after: (0, 2), strides: (3, 1), dilations: (2, 3)),
        Shape(
            batch: 1, height: 11, width: 9, channels: 16, filters: 16, window: (7, 5), padding: (3, 2),
            after: (2, 2), strides: (2, 2)),
        // Kernels and gradients so large that workers share out filters; of two pairs of groups, and of two pieces.
        Shape(
            batch: 33, height: 2, width: 2, channels: 160, filters: 192, window: (3, 3), padding: (0, 0),
            after: (1, 1), strides: (2, 2)),
        Shape(
            batch: 1, height: 7, width: 5, channels: 528, filters: 512, window: (1, 1), padding: (0, 0),
            after: (0, 0), strides: (2, 2)),
    ]

    /// The place of an image's element in blocks of 16 channels.
    private static func place(
        _ n: Int, _ y: Int, _ x: Int, _ c: Int, _ channels: Int, _ height: Int, _ width: Int
    ) -> Int { (((n * (channels / 16) + c / 16) * height + y) * width + x) * 16 + c % 16 }

    /// A sum and the Euclidean norm of its summands, which is what errors are measured by.
    private struct Sum {
        var sum = 0.0
        var squares = 0.0
        mutating func add(_ x: Double) {
            sum += x
            squares += x * x
        }
        func isNear(_ x: Float, terms: Int) -> Bool {
            let tolerance = [2e-2, 4e-5, 1e-5][terms - 1]
            return abs(Double(x) - sum) <= tolerance * squares.squareRoot() + 1e-12
        }
    }

    private static func forEachUnit(_ body: (String) -> Void) {
        let present = String(cString: fovea_bfloat16_unit())
        defer { _ = fovea_set_bfloat16_unit(present) }
        for unit in ["amx", "avx512_bf16"] where fovea_set_bfloat16_unit(unit) != 0 { body(unit) }
    }

    @Test(arguments: shapes) @Compute private func convolution(shape: Shape) {
        let (height, width) = (shape.output.height, shape.output.width)
        let images = numbers(shape.batch * shape.height * shape.width * shape.channels, seed: 1)
        let kernel = numbers(
            shape.window.rows * shape.window.columns * shape.channels * shape.filters, seed: 2)
        let upstream = numbers(shape.batch * height * width * shape.filters, seed: 3)
        let bias = numbers(shape.filters, seed: 4)

        var outputs = [Sum](repeating: Sum(), count: upstream.count)
        var inputGradients = [Sum](repeating: Sum(), count: images.count)
        var kernelGradients = [Sum](repeating: Sum(), count: kernel.count)
        var biasGradients = [Sum](repeating: Sum(), count: bias.count)
        for n in 0..<shape.batch {
            for y in 0..<height {
                for x in 0..<width {
                    for f in 0..<shape.filters {
                        let out = Self.place(n, y, x, f, shape.filters, height, width)
                        outputs[out].add(Double(bias[f]))
                        biasGradients[f].add(Double(upstream[out]))
                        for r in 0..<shape.window.rows {
                            for k in 0..<shape.window.columns {
                                let row =
                                    y * shape.strides.rows + r * shape.dilations.rows - shape.padding.rows
                                let column =
                                    x * shape.strides.columns + k * shape.dilations.columns
                                    - shape.padding.columns
                                guard 0..<shape.height ~= row, 0..<shape.width ~= column else { continue }
                                for c in 0..<shape.channels {
                                    let at = Self.place(
                                        n, row, column, c, shape.channels, shape.height, shape.width)
                                    let weight =
                                        ((r * shape.window.columns + k) * shape.channels + c) * shape.filters
                                        + f
                                    outputs[out].add(Double(images[at]) * Double(kernel[weight]))
                                    inputGradients[at].add(Double(upstream[out]) * Double(kernel[weight]))
                                    kernelGradients[weight].add(Double(upstream[out]) * Double(images[at]))
                                }
                            }
                        }
                    }
                }
            }
        }

        Self.forEachUnit { unit in
            for terms in 1...3 {
                for workers in 1...3 {
                    var c = shape.kernel(terms: terms, workers: workers)
                    func expect(_ found: [Float], _ expected: [Sum], _ what: String, terms: Int) {
                        let wrong = zip(found, expected).count { !$1.isNear($0, terms: terms) }
                        #expect(wrong == 0, "\(what), \(unit), \(terms) terms, \(workers) workers")
                    }
                    var output = [Float](repeating: .nan, count: outputs.count)
                    var packed = KernelMemory(fovea_bfloat16_forward_kernel_bytes(&c))
                    var scratch = KernelMemory(fovea_bfloat16_forward_scratch(&c))
                    fovea_bfloat16_forward(
                        &c, images, kernel, packed.start, FOVEA_PACK, bias, &output, scratch.start)
                    expect(output, outputs, "forward", terms: terms)
                    let kept = KernelMemory(fovea_bfloat16_forward_kernel_bytes(&c))
                    for packing in [FOVEA_PACK_AND_KEEP, FOVEA_PACKED] {
                        var again = [Float](repeating: .nan, count: outputs.count)
                        fovea_bfloat16_forward(
                            &c, images, packing == FOVEA_PACKED ? nil : kernel, kept.start, packing, bias,
                            &again, scratch.start)
                        #expect(again == output, "\(packing)")
                    }
                    c.relu = 1
                    fovea_bfloat16_forward(
                        &c, images, kernel, packed.start, FOVEA_PACK, bias, &output, scratch.start)
                    #expect(output.allSatisfy { $0 >= 0 } && output.contains { $0 > 0 })
                    let rectified = output
                    c.ceiling = (rectified.max() ?? 0) / 3
                    fovea_bfloat16_forward(
                        &c, images, kernel, packed.start, FOVEA_PACK, bias, &output, scratch.start)
                    #expect(output == rectified.map { min($0, c.ceiling) })

                    var gradient = [Float](repeating: .nan, count: images.count)
                    packed = KernelMemory(fovea_bfloat16_input_gradient_kernel_bytes(&c))
                    scratch = KernelMemory(fovea_bfloat16_input_gradient_scratch(&c))
                    fovea_bfloat16_input_gradient(
                        &c, upstream, kernel, packed.start, FOVEA_PACK, &gradient, scratch.start)
                    expect(gradient, inputGradients, "input gradient", terms: terms)

                    var kernelGradient = [Float](repeating: .nan, count: kernel.count)
                    var biasGradient = [Float](repeating: .nan, count: bias.count)
                    scratch = KernelMemory(fovea_bfloat16_kernel_gradient_scratch(&c))
                    fovea_bfloat16_kernel_gradient(
                        &c, images, upstream, &kernelGradient, &biasGradient, scratch.start)
                    expect(kernelGradient, kernelGradients, "kernel gradient", terms: terms)
                    expect(biasGradient, biasGradients, "bias gradient", terms: 3)
                }
            }
        }
    }

    @Test(arguments: [(17, 33, 5), (16, 16, 16), (64, 31, 48), (33, 600, 130), (300, 40, 17), (1, 70, 64)])
    @Compute func product(rows: Int, inner: Int, columns: Int) {
        let (a, b, bias) = (
            numbers(rows * inner, seed: 5), numbers(inner * columns, seed: 6),
            numbers(columns, seed: 7)
        )
        Self.forEachUnit { unit in
            for terms in 1...3 {
                for workers in 1...3 {
                    for transposed in 0..<4 {
                        var m = fovea_bfloat16_matmul()
                        (m.terms, m.workers) = (Int32(terms), Int32(workers))
                        (m.rows, m.inner, m.columns) = (Int64(rows), Int64(inner), Int64(columns))
                        m.a_strides = transposed & 1 == 0 ? (Int64(inner), 1) : (1, Int64(rows))
                        m.b_strides = transposed & 2 == 0 ? (Int64(columns), 1) : (1, Int64(inner))
                        let scratch = KernelMemory(fovea_bfloat16_matmul_scratch(&m))
                        var c = [Float](repeating: .nan, count: rows * columns)
                        fovea_bfloat16_multiply(&m, a, b, bias, &c, scratch.start)
                        var wrong = 0
                        for i in 0..<rows {
                            for j in 0..<columns {
                                var sum = Sum()
                                sum.add(Double(bias[j]))
                                for k in 0..<inner {
                                    let left = a[i * Int(m.a_strides.0) + k * Int(m.a_strides.1)]
                                    let right = b[k * Int(m.b_strides.0) + j * Int(m.b_strides.1)]
                                    sum.add(Double(left) * Double(right))
                                }
                                if !sum.isNear(c[i * columns + j], terms: terms) { wrong += 1 }
                            }
                        }
                        #expect(wrong == 0, "\(unit), \(terms) terms, \(workers) workers, \(transposed)")
                    }
                }
            }
        }
    }

    /// A number that is none stays none where it has an influence, and has none elsewhere.
    @Test(arguments: [(2, 1), (16, 1), (16, 2)]) @Compute func notANumber(batch: Int, stride: Int) {
        let shape = Shape(
            batch: batch, height: 6, width: 7, channels: 16, filters: 16, window: (3, 3), padding: (1, 1),
            after: (1, 1), strides: (stride, stride))
        let (height, width) = shape.output
        var images = numbers(batch * 6 * 7 * 16, seed: 8)
        images[Self.place(1, 2, 3, 4, 16, 6, 7)] = .nan
        let kernel = numbers(9 * 16 * 16, seed: 9)
        Self.forEachUnit { unit in
            for terms in 1...3 {
                var c = shape.kernel(terms: terms, workers: 2)
                c.relu = 1
                let packed = KernelMemory(fovea_bfloat16_forward_kernel_bytes(&c))
                let scratch = KernelMemory(fovea_bfloat16_forward_scratch(&c))
                var output = [Float](repeating: 0, count: batch * height * width * 16)
                fovea_bfloat16_forward(
                    &c, images, kernel, packed.start, FOVEA_PACK, nil, &output, scratch.start)
                for n in 0..<batch {
                    for y in 0..<height {
                        for x in 0..<width {
                            let isReached = n == 1 && abs(y * stride - 2) <= 1 && abs(x * stride - 3) <= 1
                            let found = (0..<16).map {
                                output[Self.place(n, y, x, $0, 16, height, width)].isNaN
                            }
                            #expect(
                                found.allSatisfy { $0 == isReached },
                                "\(unit), \(terms) terms, \(n) \(y) \(x)")
                        }
                    }
                }
            }
        }
    }
}
