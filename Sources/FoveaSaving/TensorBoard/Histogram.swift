import FoveaGraph

/// How many of some numbers are where, in equal parts of their range.
struct Histogram: Hashable {
    struct Bucket: Hashable {
        let lowerBound, upperBound, count: Double
    }

    let buckets: [Bucket]

    /// Numbers that are not finite are left out; equal numbers have one bucket around them.
    init(_ numbers: [Float], bucketCount: Int = 30) {
        let numbers = numbers.filter(\.isFinite)
        guard let least = numbers.min().map(Double.init), let greatest = numbers.max().map(Double.init) else {
            buckets = []
            return
        }
        guard greatest > least else {
            buckets = [Bucket(lowerBound: least - 0.5, upperBound: least + 0.5, count: Double(numbers.count))]
            return
        }
        let width = (greatest - least) / Double(bucketCount)
        var counts = [Double](repeating: 0, count: bucketCount)
        for number in numbers { counts[min(Int((Double(number) - least) / width), bucketCount - 1)] += 1 }
        buckets = counts.indices.map { i in
            Bucket(
                lowerBound: least + Double(i) * width,
                upperBound: i == bucketCount - 1 ? greatest : least + Double(i + 1) * width, count: counts[i])
        }
    }
}
