import CPictures
import Glibc

/// Which pixels make each output pixel along one axis, and with what weights.
struct Resampling {
    private let stride: Int
    private var starts: [Int32] = []
    private var counts: [Int32] = []
    /// Multiples of 2⁻²².
    private var weights: [Int32]

    init(from input: Int, to output: Int, _ method: Picture.ResizingMethod, antialias: Bool) {
        let scale = Double(input) / Double(output)
        let spread = antialias || method == .box ? max(scale, 1) : 1
        let support = method.support * spread
        stride = Int(support.rounded(.up)) * 2 + 1
        weights = [Int32](repeating: 0, count: output * stride)
        starts.reserveCapacity(output)
        counts.reserveCapacity(output)
        var exact = [Double](repeating: 0, count: stride)
        for place in 0..<output {
            let middle = (Double(place) + 0.5) * scale
            let start = max(Int(middle - support + 0.5), 0)
            let count = min(Int(middle + support + 0.5), input) - start
            var sum = 0.0
            for k in 0..<count {
                exact[k] = method.weight((Double(k + start) - middle + 0.5) * (1 / spread))
                sum += exact[k]
            }
            for k in 0..<count {
                let weight = (sum == 0 ? exact[k] : exact[k] / sum) * 0x1p22
                weights[place * stride + k] = Int32(weight < 0 ? weight - 0.5 : weight + 0.5)
            }
            starts.append(Int32(start))
            counts.append(Int32(count))
        }
    }

    func withTable(_ body: (UnsafePointer<fovea_resampling>) -> Void) {
        starts.withUnsafeBufferPointer { starts in
            counts.withUnsafeBufferPointer { counts in
                weights.withUnsafeBufferPointer { weights in
                    var table = fovea_resampling(
                        output_count: Int32(starts.count), stride: Int32(stride), starts: starts.baseAddress,
                        counts: counts.baseAddress, weights: weights.baseAddress)
                    body(&table)
                }
            }
        }
    }
}
