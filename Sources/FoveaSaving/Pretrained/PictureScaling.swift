import FoveaLayers

/// What a network's weights expect of pictures, which Fovea gives as numbers from 0 to 1, red first. A network with published
/// weights begins with a layer that makes it, so that training, prediction and files need to know nothing of it.
public enum PictureScaling: String, Hashable, Sendable, CaseIterable {
    /// As they are, 0…1.
    case unchanged
    /// −1…1: `2x - 1`. Keras's `preprocess_input` in the mode "tf", as for MobileNetV2.
    case symmetric
    /// `(x - mean) / deviation` with those of ImageNet's channels: torchvision's transforms, Keras's mode "torch".
    case standardized
    /// `255x - mean` of each channel, blue first: Keras's mode "caffe", as for VGG and ResNet. The weights are turned to take
    /// red first when they are loaded.
    case caffe
    /// `(255x - 127) / 128`, as the authors of EfficientNet-Lite have it.
    case efficientNetLite = "efficientnet-lite"

    /// What makes it of 0…1; nil when nothing is to be done.
    var layer: Rescaling? {
        let name = "rescaling"
        switch self {
        case .unchanged: return nil
        case .symmetric: return Rescaling(scale: 2, offset: -1, name: name)
        case .standardized:
            let (means, deviations) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
            return Rescaling(
                scale: deviations.map { 1 / $0 }, offset: zip(means, deviations).map { -$0 / $1 }, name: name)
        case .caffe:
            return Rescaling(scale: [255], offset: [-123.68, -116.779, -103.939], name: name)
        case .efficientNetLite: return Rescaling(scale: 255.0 / 128, offset: -127.0 / 128, name: name)
        }
    }

    /// Whether the weights take the channels in the order blue, green, red.
    var isBlueFirst: Bool { self == .caffe }
}
