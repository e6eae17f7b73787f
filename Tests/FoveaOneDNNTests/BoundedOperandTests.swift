import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import TestSupport
import Testing

/// What is known of operands without looking at them is forgotten when they change: between the runs of one executable, inputs and
/// kernels become NaN or infinite, and sound again.
@Suite(.serialized) struct BoundedOperandTests {
    @Test(arguments: [1, 32])
    @Compute func numbersThatStopBeingFiniteAreSeen(groups: Int) throws {
        let shapes: [Shape] = [[1, 1, 3, 32], [3, 3, 32 / groups, 32], [1, 1, 32, 32]]
        let sound = shapes.indices.map { ResidentVariableTests.value(shapes[$0], seed: UInt64($0 + 1)) }
        let kernels = shapes.indices.map { Variable(name: "kernel\($0)", initial: sound[$0]) }
        var x = Tensor.input("images", [8, 9, 3])
        for (index, kernel) in kernels.enumerated() {
            let rule = Convolution(
                padding: index == 1 ? Padding2D(top: 1, bottom: 1, left: 1, right: 1) : .none,
                groups: index == 1 ? groups : 1)
            let relu = try x.convolved(with: Tensor(kernel), rule).relu()
            x = try index == 2 ? relu : .minimum(relu, .filled(6, relu.shape))
        }
        let images = ResidentVariableTests.value([2, 8, 9, 3], seed: 9)
        let executable = try OneDNNBackend(precision: .strict)
            .compile(outputs: [x], mode: .inference, batch: 2)
        let reference = try ReferenceBackend().compile(outputs: [x], mode: .inference, batch: 2)

        func compare(_ images: TensorValue, _ state: String) throws {
            let (found, expected) = try (
                executable.run(["images": images])[0], reference.run(["images": images])[0]
            )
            for (a, b) in zip(found.floats, expected.floats) {
                guard a.isNaN == b.isNaN, a.isNaN || a == b || abs(a - b) <= 1e-4 * max(1, abs(b)) else {
                    Issue.record("\(state): \(a) instead of \(b)")
                    return
                }
            }
        }
        func changed(_ value: TensorValue, _ number: Float) throws -> TensorValue {
            var elements = value.floats
            elements[elements.count / 2] = number
            return try TensorValue(shape: value.shape, elements)
        }

        try compare(images, "sound")
        for number in [Float.nan, .infinity, -.infinity, 1e30] {
            try compare(changed(images, number), "an input of \(number)")
            try compare(images, "sound again")
            for (index, kernel) in kernels.enumerated() {
                try kernel.assign(changed(sound[index], number))
                try compare(images, "\(number) in kernel \(index)")
                try kernel.assign(sound[index])
                try compare(images, "sound after \(number) in kernel \(index)")
            }
        }
    }
}
