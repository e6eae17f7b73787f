import FoveaGraph
import FoveaLayers

// The networks that speed and accuracy are measured on.

extension Design {
    func fashionCNN() throws(ShapeError) -> Sequential {
        try sequential {
            for filters in [32, 64] {
                Conv2D(filters: filters, kernelSize: 3, activation: .relu)
                MaxPooling2D()
            }
        } top: { classes in
            Flatten()
            Dense(units: 128, activation: .relu)
            dropout(0.5)
            Dense(units: classes, activation: .softmax)
        }
    }

    func singleConv() throws(ShapeError) -> Sequential {
        try sequential {
            Conv2D(filters: 32, kernelSize: 3, padding: .same, activation: .relu)
            MaxPooling2D()
            dropout(0.25)
        } top: { classes in
            Flatten()
            Dense(units: 128, activation: .relu)
            dropout(0.25)
            Dense(units: classes, activation: .softmax)
        }
    }

    func mnistCNN() throws(ShapeError) -> Sequential {
        try sequential {
            for filters in [32, 64] {
                Conv2D(filters: filters, kernelSize: 3, activation: .relu)
                MaxPooling2D()
            }
            Conv2D(filters: 64, kernelSize: 3, activation: .relu)
        } top: { classes in
            Flatten()
            Dense(units: 64, activation: .relu)
            dropout(0.5)
            Dense(units: classes, activation: .softmax)
        }
    }

    func wideKernelCNN() throws(ShapeError) -> Sequential {
        try sequential {
            for filters in [32, 64] {
                Conv2D(filters: filters, kernelSize: 5, padding: .same, activation: .relu)
                MaxPooling2D()
            }
        } top: { classes in
            Flatten()
            Dense(units: 1024, activation: .relu)
            dropout(0.5)
            Dense(units: classes)
        }
    }

    func catsDogsCNN() throws(ShapeError) -> Sequential {
        try sequential {
            for filters in [32, 64, 128, 128] {
                Conv2D(filters: filters, kernelSize: 3, activation: .relu)
                MaxPooling2D()
            }
        } top: { _ in
            Flatten()
            dropout(0.5)
            Dense(units: 512, activation: .relu)
            Dense(units: 1, activation: .sigmoid)
        }
    }

    func softmaxRegression() throws(ShapeError) -> Sequential {
        try sequential {
        } top: { classes in
            Flatten()
            Dense(units: classes, activation: .softmax)
        }
    }
}
