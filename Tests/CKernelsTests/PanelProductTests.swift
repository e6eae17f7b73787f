import CKernels
import FoveaGraph
import Testing

extension KernelTests {
    /// Products by panels against sums in double, for each kind of vectors. Scratch memory and results start as NaN: nothing may depend on
    /// what was there.
    @Suite struct PanelProductTests {
        struct Shape: CustomTestStringConvertible {
            var rows, inner, columns: Int
            var transposesA = false
            var transposesB = false
            var testDescription: String {
                "[\(rows), \(inner)]\(transposesA ? "ᵀ" : "") by [\(inner), \(columns)]\(transposesB ? "ᵀ" : "")"
            }
        }

        static let shapes = [
            Shape(rows: 1, inner: 1, columns: 16), Shape(rows: 7, inner: 255, columns: 64),
            Shape(rows: 12, inner: 256, columns: 80), Shape(rows: 97, inner: 257, columns: 48),
            Shape(rows: 200, inner: 530, columns: 112, transposesA: true),
            Shape(rows: 13, inner: 16, columns: 32, transposesB: true),
            Shape(rows: 64, inner: 528, columns: 144, transposesB: true),
            Shape(rows: 98, inner: 272, columns: 16, transposesA: true, transposesB: true),
        ]

        private struct Product {
            var spec = fovea_panel_product()
            let a, b, bias: [Float]

            init(_ shape: Shape) {
                a = numbers(shape.rows * shape.inner, seed: 1)
                b = numbers(shape.inner * shape.columns, seed: 2)
                bias = numbers(shape.columns, seed: 3)
                (spec.rows, spec.inner) = (Int64(shape.rows), Int64(shape.inner))
                (spec.columns, spec.slots) = (Int64(shape.columns), 3)
                spec.a_strides = shape.transposesA ? (1, spec.rows) : (spec.inner, 1)
                spec.b_strides = shape.transposesB ? (1, spec.inner) : (spec.columns, 1)
            }

            func result(_ a: [Float]? = nil, relu: Bool = false, bias: [Float]?) -> [Float] {
                var spec = spec
                spec.relu = relu ? 1 : 0
                let scratch = KernelMemory(fovea_panel_product_scratch(&spec))
                var c = [Float](repeating: .nan, count: Int(spec.rows * spec.columns))
                fovea_multiply_panels(&spec, a ?? self.a, b, bias, &c, scratch.start)
                return c
            }
        }

        @Test(arguments: shapes) @Compute func agreesWithSums(shape: Shape) {
            let product = Product(shape)
            let (a, b) = (product.spec.a_strides, product.spec.b_strides)
            var expected: [(sum: Double, size: Double)] = []
            for row in 0..<shape.rows {
                for column in 0..<shape.columns {
                    let terms = (0..<shape.inner).map { k in
                        Double(product.a[row * Int(a.0) + k * Int(a.1)])
                            * Double(product.b[k * Int(b.0) + column * Int(b.1)])
                    }
                    expected.append(
                        (terms.reduce(0, +), terms.reduce(0) { $0 + $1 * $1 }.squareRoot()))
                }
            }
            forEachVectorKind { kind in
                let plain = product.result(bias: nil)
                #expect(
                    zip(plain, expected).allSatisfy { abs(Double($0) - $1.sum) <= 1e-5 * max($1.size, 0.1) },
                    "\(kind)")
                let withBias = product.result(bias: product.bias)
                let columns = shape.columns
                #expect(
                    withBias == plain.indices.map { plain[$0] + product.bias[$0 % columns] }, "\(kind)")
                #expect(
                    product.result(relu: true, bias: product.bias) == withBias.map { max($0, 0) }, "\(kind)")
            }
        }

        /// NaN in a row stays in its results, also rectified, and reaches no other row.
        @Test @Compute func notANumberStays() {
            let product = Product(Shape(rows: 15, inner: 300, columns: 80))
            var a = product.a
            a[4 * 300 + 260] = .nan
            forEachVectorKind { kind in
                let result = product.result(a, relu: true, bias: product.bias)
                #expect(result.indices.allSatisfy { result[$0].isNaN == ($0 / 80 == 4) }, "\(kind)")
            }
        }
    }
}
