import ArgumentParser
import Foundation
import Fovea

/// How images are prepared for training.
struct PictureOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Height and width that pictures of a folder are brought to, such as 150 or 120x160 (default: what the network "
                + "was made for).", valueName: "pixels"))
    var imageSize: String?

    @Option(
        help: ArgumentHelp(
            "Change training images at random, such as rotation=40,shift=0.2,shear=0.2,zoom=0.2,flip=horizontal.",
            valueName: "changes"))
    var augment: String?

    @OptionGroup var badPictures: BadPictureOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Threads that read and change pictures ahead of training (default: one for each processor, at most 4).",
            valueName: "count"))
    var loaderThreads: Int?

    /// The options, checked.
    struct Settings {
        /// Nil for what the network was made for.
        let size: Size2D?
        let augmentation: Augmentation?
        let badPictures: BadPictures
        let loaderThreads: Int?
    }

    func settings(for source: DataSource) throws -> Settings {
        var size: Size2D?
        if let imageSize {
            guard case .folder = source else {
                throw ValidationError(
                    "--image-size is for folders of pictures; the images of a data set have a size")
            }
            size = try Size2D(imageSize)
        }
        try checkLoaderThreads(loaderThreads)
        return Settings(
            size: size, augmentation: try augment.map(parsedAugmentation),
            badPictures: try badPictures.settings(),
            loaderThreads: loaderThreads)
    }
}

/// What is done about pictures that cannot be read.
struct BadPictureOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "stop, or skip: pictures that cannot be read are left out, named and counted.", valueName: "what")
    )
    var onBadImage = Answer.stop.rawValue

    enum Answer: String, CaseIterable { case stop, skip }

    func settings() throws -> BadPictures {
        BadPictures(isSkipping: try named(onBadImage, "answer to bad images") as Answer == .skip)
    }
}

/// Pictures that cannot be read: the end, or left out and listed.
struct BadPictures {
    private let isSkipping: Bool
    private let failed = FailedElements()

    init(isSkipping: Bool) { self.isSkipping = isSkipping }

    var policy: ElementErrorPolicy { isSkipping ? .skip(failed) : .stop }

    /// The result of work on pictures. Says which were left out, or how they can be.
    func noted<Result>(_ work: () async throws -> Result) async throws -> Result {
        let (before, batchesBefore) = (Set(failed.descriptions), failed.batchCount)
        // Also when the work ends with an error, which may well follow from it.
        defer {
            report(
                failed.descriptions.filter { !before.contains($0) },
                batches: failed.batchCount - batchesBefore)
        }
        do { return try await work() } catch let error as PictureError where !isSkipping {
            throw CommandError("\(error). With --on-bad-image skip such pictures are left out")
        }
    }

    /// - Parameter batches: how many were left out, too.
    private func report(_ reasons: [String], batches: Int) {
        guard !reasons.isEmpty else { return }
        warn("left out \(reasons.count) \(reasons.count == 1 ? "picture" : "pictures") that cannot be read:")
        for reason in reasons.prefix(5) { warn("  \(reason)") }
        if reasons.count > 5 { warn("  and \(reasons.count - 5) more") }
        if batches > 0 {
            warn(
                "\(batches) \(batches == 1 ? "batch" : "batches") of such pictures alone "
                    + "\(batches == 1 ? "was" : "were") passed over")
        }
    }
}

/// The augmentation that `--augment` describes.
func parsedAugmentation(_ text: String) throws -> Augmentation {
    let augmentation: Augmentation
    do { augmentation = try Augmentation(parsing: text) } catch {
        throw ValidationError("--augment \(text): \(error)")
    }
    guard !augmentation.standardizes else {
        throw ValidationError(
            "--augment \(text): rescale, center, std and zca would change training images only, and not those that the "
                + "model is measured and used with; leave them out")
    }
    return augmentation
}

extension Size2D {
    /// `150`, or height and width as `120x160`.
    fileprivate init(_ text: String) throws {
        let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(sides.count), let height = sides[0], let width = sides[sides.count - 1],
            (1...Picture.greatestSide).contains(height), (1...Picture.greatestSide).contains(width)
        else {
            throw ValidationError(
                "--image-size is a number of pixels from 1 to \(Picture.greatestSide), such as 150, or height and width, such as "
                    + "120x160, not \(text)"
            )
        }
        self.init(height, width)
    }
}

extension TrainingData.Validation {
    /// A number is a part; all else is the path of a folder.
    init(_ text: String) throws {
        guard let part = Double(text) else {
            self = .folder(try filePath(text))
            return
        }
        guard part > 0, part < 1 else {
            throw ValidationError(
                "--validation must be more than 0 and less than 1, or a folder, not \(text)")
        }
        self = .part(part)
    }
}

extension TrainingData.Form {
    /// Pictures as a network takes them.
    init(_ network: NamedNetwork, size: Size2D?) {
        let shape = network.inputShape
        self.init(
            size: size ?? Size2D(shape[0], shape[1]), channels: shape.channels,
            classMode: network.output == .binaryProbability ? .binary : .sparse)
    }
}
