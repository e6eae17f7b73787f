import Testing

@testable import FoveaVisualization

@Suite struct TicksTests {
    /// Ranges of all sizes, at 0, around it and far from it.
    static let ranges: [ClosedRange<Double>] = {
        var generator = SystemRandomNumberGenerator()
        let fixed: [ClosedRange<Double>] = [
            0...1, -1...1, 0...100, 0.95...10.05, 1e-12...2e-12, -3e200...5e200, 1e9...1.0001e9,
            -1e-300...1e-300,
            -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude, 0.1...0.30000000000000004,
        ]
        return fixed
            + (0..<500).map { _ in
                let size = power(10, Double.random(in: -12...12, using: &generator))
                let low = Double.random(in: -1...1, using: &generator) * size
                return low...(low + size * Double.random(in: 0.01...2, using: &generator))
            }
    }()

    @Test(arguments: ranges) func ticksAreRoundEvenlySpacedAndInside(_ range: ClosedRange<Double>) throws {
        for count in 1...9 {
            let linear = LinearTicks(range, count: count)
            let places = linear.places
            // The largest numbers have no round step between them.
            guard linear.step.isFinite else { continue }
            #expect(places.count <= count + 1, "\(range) \(count)")
            let tolerance = linear.step * 1e-6
            for place in places {
                #expect(place >= range.lowerBound - tolerance && place <= range.upperBound + tolerance)
            }
            for (a, b) in zip(places, places.dropFirst()) {
                #expect(((b / 2 - a / 2) - linear.step / 2).magnitude < tolerance, "\(range) \(count)")
            }
            let mantissa = linear.step / power(10, logarithm10(linear.step).rounded(.down))
            // The last digits of the smallest numbers are binary.
            #expect(
                linear.step < 1e-300
                    || [1, 2, 2.5, 5, 10].contains { (mantissa - $0).magnitude < 1e-6 },
                "\(linear.step)")
            #expect(linear.ticks.labels.count == places.count)
            #expect(Set(linear.ticks.labels).count == places.count, "\(range): \(linear.ticks.labels)")
        }
        #expect(LinearTicks(range, count: 9).places.count >= 3, "\(range)")
    }
}
