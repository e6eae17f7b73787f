import FoveaFiles
import FoveaPictures

/// Where in a shard a picture is.
struct ShardPart: Equatable, Sendable {
    let shard: Shard
    let offset: Int
}

extension ImageFolder {
    /// Whether a text names shards rather than a folder: an address, the path of a tar file, or a pattern with braces.
    package static func areShards(_ text: String) -> Bool { ShardList.isNamed(text) }

    /// The pictures of shards.
    init(_ list: ShardList, limit: Int) throws(DatasetError) {
        let names = try list.classNames()
        var items: [Item] = []
        for shard in list.shards {
            let samples = try shard.indexedSamples(list)
            guard samples.count <= limit - items.count else {
                throw DatasetError(
                    .tooLarge, file: shard.path, "with this shard there are more than \(limit) pictures")
            }
            for sample in samples {
                if let names, sample.label >= names.count {
                    throw DatasetError(
                        .labelOutOfRange, file: shard.path,
                        "'\(sample.name)' is of class \(sample.label), but classes.txt has \(names.count) names, for the "
                            + "classes from 0 on")
                }
                items.append(
                    Item(
                        path: shard.path + "/" + sample.name, label: sample.label,
                        byteCount: sample.byteCount, part: ShardPart(shard: shard, offset: sample.offset)))
            }
        }
        guard let greatest = items.map(\.label).max() else {
            throw DatasetError(.missingFile, file: list.folder, "the shards have no pictures with classes")
        }
        self.init(
            path: list.folder, classNames: names ?? (0...greatest).map(String.init), items: items)
    }
}

extension Shard {
    /// The samples, by the index that lies beside the shard where that saves requests.
    fileprivate func indexedSamples(_ list: ShardList) throws(DatasetError) -> [ShardSample] {
        if server != nil, let text = try list.companion(ShardIndex.name(of: path), limit: 1 << 28),
            let samples = ShardIndex.samples(text, byteCount: try servedSize())
        {
            return samples
        }
        return try samples()
    }
}

extension ImageFolder.Item {
    /// The picture, read and decoded; of an animation the first frame.
    ///
    /// - Throws: `PictureError`, naming the file, when it cannot be read or is no picture.
    public func picture(
        _ options: Picture.DecodingOptions = Picture.DecodingOptions()
    ) throws(PictureError) -> Picture {
        guard let part else { return try Picture.decode(contentsOf: path, options) }
        let bytes = try bytes(of: part)
        do throws(PictureError) { return try Picture.decode(bytes, options) } catch {
            throw PictureError(error.kind, file: path, error.message)
        }
    }

    private func bytes(of part: ShardPart) throws(PictureError) -> [UInt8] {
        do throws(DatasetError) {
            return try part.shard.bytes(at: part.offset, count: byteCount)
        } catch {
            throw PictureError(.unreadable, file: path, error.message)
        }
    }
}
