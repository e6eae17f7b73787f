import FoveaGraph
import FoveaLayers

extension Design {
    /// Simonyan and Zisserman 2014: five blocks with the given numbers of convolutions.
    func vgg(convolutions: [Int]) throws(ShapeError) -> Sequential {
        try sequential {
            for (block, count) in zip(1..., convolutions) {
                for number in 1...count {
                    Conv2D(
                        filters: min(32 << block, 512), kernelSize: 3, padding: .same, activation: .relu,
                        name: "block\(block)_conv\(number)")
                }
                MaxPooling2D(name: "block\(block)_pool")
            }
        } top: { classes in
            Flatten(name: "flatten")
            Dense(units: 4096, activation: .relu, name: "fc1")
            Dense(units: 4096, activation: .relu, name: "fc2")
            Dense(units: classes, activation: .softmax, name: "predictions")
        }
    }
}
