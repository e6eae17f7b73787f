import FoveaGraph
import FoveaLayers

extension Design {
    /// LeCun et al. 1998, figure 2.
    func leNet5() throws(ShapeError) -> Sequential {
        let hasBorder = min(input[0], input[1]) >= 32
        return try sequential {
            Conv2D(
                filters: 6, kernelSize: 5, padding: hasBorder ? .valid : .same, activation: .tanh, name: "c1")
            AveragePooling2D(name: "s2")
            Conv2D(filters: 16, kernelSize: 5, activation: .tanh, name: "c3")
            AveragePooling2D(name: "s4")
        } top: { classes in
            Flatten(name: "flatten")
            Dense(units: 120, activation: .tanh, name: "c5")
            Dense(units: 84, activation: .tanh, name: "f6")
            Dense(units: classes, activation: .softmax, name: "predictions")
        }
    }
}
