import Fovea

/// The code of the README: compiled, not run, for it reads a data set and a folder of pictures that need not be there.
enum ReadmeCode {
    static func fifteenLines() async throws {
        // block
        let data = try await DatasetLibrary().load(.fashionMNIST)
        let model = try Sequential(name: "first", input: [28, 28, 1], seed: 1) {
            Conv2D(filters: 32, kernelSize: 3, activation: .relu)
            MaxPooling2D(poolSize: 2)
            Flatten()
            Dense(units: 128, activation: .relu)
            Dropout(rate: 0.5)
            Dense(units: 10, activation: .softmax)
        }
        print(model.summary())
        let trainer = try model.compile(
            optimizer: Adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
        let history = try await trainer.fit(data.train, epochs: 5, batchSize: 128, validationSplit: 0.1)
        print(try await trainer.evaluate(data.test).metrics, history.csv)
        try await SavedModel(model, classNames: data.classNames).write(to: "first.safetensors")
        // end
    }

    static func callbacks(_ trainer: Trainer, _ data: NamedDataset) async throws -> History {
        // block
        let history = try await trainer.fit(
            data.train, epochs: 100, batchSize: 128, validationSplit: 0.1,
            callbacks: [
                ReduceLROnPlateau(factor: 0.5, patience: 3),
                EarlyStopping(patience: 8, restoreBest: true),
                ModelCheckpoint("best-{epoch:02d}-{val_loss:.4f}.safetensors", saveBestOnly: true),
                BackupAndRestore("state.safetensors", saveFrequency: .steps(200)),
            ])
        // end
        return history
    }

    static func pictures(_ trainer: Trainer) async throws -> History {
        // block
        // pets/train/cats/1.jpg …
        let pets = try ImageFolder("pets/train")
        let augmentation = try Augmentation(
            rotationRange: 40, widthShiftRange: 0.2, heightShiftRange: 0.2, zoomRange: 0.2,
            horizontalFlip: true)
        let batches = try Dataset(pets, size: 150, classMode: .binary)
            .cached(byteLimit: 1 << 30).shuffled(seed: 1).augmented(augmentation, seed: 1).batched(20)
        let history = try await trainer.fit(batches, epochs: 30)
        // end
        return history
    }

    static func branches() throws -> [Model] {
        // block
        let images = LayerOutput.input("images", [32, 32, 3])
        let x = Conv2D(filters: 16, kernelSize: 3, padding: .same, activation: .relu)(images)
        let y = BatchNormalization()(Conv2D(filters: 16, kernelSize: 3, padding: .same)(x))
        let classes = Dense(units: 10, activation: .softmax)(GlobalAveragePooling2D()(ReLU()(Add()([x, y]))))
        let network = try Model(inputs: [images], outputs: [classes])

        // Also LeNet-5, AlexNet, GoogLeNet, ResNet, DenseNet, SqueezeNet, MobileNetV2, EfficientNet-Lite.
        let base = try NamedNetwork.vgg16.model(input: [150, 150, 3], includeTop: false)
        try base.setTrainable(from: "block5_conv1")
        let features = try Model(inputs: base.inputs, outputs: [base.output(of: "block3_pool")])
        // end
        return [network, features]
    }

    static func prediction() async throws {
        // block
        let predictor = try await Predictor(contentsOf: "first.safetensors")
        let answers = try await predictor.classes(ofPictureAt: "photo.jpg", top: 3)
        print(answers[0])  // Coat 98.2 %
        // end
    }

    static func figures(
        _ history: History, _ predictor: Predictor, _ examples: Dataset<Example>, x: [Double], y: [Double]
    ) async throws {
        // block
        try history.plot(smoothing: 0.8).write(to: "curves.png")  // of loss and metrics
        let report = try await predictor.report(on: examples)
        try report.confusion.plot(theme: .dark).write(to: "confusion.svg")
        try report.plotWorst(25, of: examples).write(to: "worst.png")
        try Figure(Panel(title: "sine", [.line(y, x: x, label: "sin x")])).write(to: "sine.pdf")
        // end
    }
}
