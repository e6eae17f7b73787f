import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaPictures

/// The size and channels that a model takes pictures in.
public struct PictureForm: Hashable, Sendable {
    /// Nil where pictures keep their sizes.
    public let size: Size2D?
    /// 3 for RGB, 1 for grey.
    public let channels: Int

    public init(size: Size2D?, channels: Int) {
        self.size = size
        self.channels = channels
    }

    /// The picture in a file, brought to the size if there is one: decoded no larger than it has to be, and resized bilinearly and
    /// antialiased.
    ///
    /// - Throws: `PictureError` when it cannot be read.
    public func picture(at path: some PathConvertible) throws -> Picture {
        let picture = try Picture.decode(contentsOf: path, .init(channels: channels, atLeast: size))
        guard let size else { return picture }
        return try picture.resized(height: size.height, width: size.width)
    }

    /// A picture of any size as the model takes it: uint8 `[height, width, channels]`.
    public func value(_ picture: Picture) throws -> TensorValue {
        let picture = channels == 1 ? picture.grey() : picture.rgb()
        guard let size, picture.height != size.height || picture.width != size.width else {
            return TensorValue(picture)
        }
        return TensorValue(try picture.resized(height: size.height, width: size.width))
    }
}

extension ModelProtocol {
    /// The shape of the pictures that the model takes.
    ///
    /// - Throws: `PredictorError` when it takes something else.
    var pictureShape: Shape {
        get throws {
            guard let shape = modelInputs.first?.shape, modelInputs.count == 1, shape.rank == 3,
                shape.channels == 1 || shape.channels == 3
            else {
                throw PredictorError(
                    "the model takes \(modelInputs.map(\.shape.description).joined(separator: ", ")), not a grey or RGB "
                        + "picture")
            }
            return shape
        }
    }

    /// The height and width of its pictures; nil where they are open, and where it takes something else.
    var imageSize: Size2D? {
        guard let shape = try? pictureShape, !shape.hasOpenExtents else { return nil }
        return Size2D(shape[0], shape[1])
    }

    /// - Throws: `PredictorError` when the model does not take pictures of that size.
    func checkedImageSize(_ size: Size2D) throws -> Size2D {
        let shape = try pictureShape
        guard size.height > 0, size.width > 0, shape.accepts([size.height, size.width, shape.channels]) else {
            throw PredictorError("the model takes pictures of shape \(shape), so imageSize cannot be \(size)")
        }
        return size
    }
}
