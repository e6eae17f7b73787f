import ArgumentParser
import Foundation
import Fovea

extension DatasetsCommand {
    struct Shard: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a folder of pictures into shards, tar files as WebDataset's.",
            discussion: """
                The pictures are copied as they are, in random order, with the number of the class beside each; classes.txt has the \
                names. 'fovea train', 'evaluate' and 'datasets show' take the new folder as they take the old one, and shards \
                on a server by their address: https://example.org/pets/shard-{000..009}.tar. Of a folder with 'train' and perhaps \
                'validation' and 'test' each part has shards of its own.
                """)

        @Argument(help: "A folder of pictures with a folder for each class, or with 'train' and so on.")
        var folder: String

        @Argument(help: "The folder to write to; it is made if need be.")
        var output: String

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp("The greatest size of a shard, in MiB.", valueName: "size"))
        var shardSize = ImageFolder.shardByteCount >> 20

        @Option(parsing: .unconditional, help: ArgumentHelp("Chooses the order.", valueName: "number"))
        var seed: UInt64 = 0

        func validate() throws {
            guard (1...4096).contains(shardSize) else {
                throw ValidationError("--shard-size must be from 1 to 4096 MiB, not \(shardSize)")
            }
        }

        func run() throws {
            guard let splits = try ImageFolder.splits(of: folder, results: output) else {
                return try write(ImageFolder(folder, results: output), to: output)
            }
            for part in splits.unlabelled { warn(part.withoutClasses) }
            let parts = [("train", splits.train), ("validation", splits.validation), ("test", splits.test)]
            for case (let name, let part?) in parts { try write(part, to: "\(output)/\(name)") }
        }

        private func write(_ pictures: ImageFolder, to output: String) throws {
            warnOfLeftOut(pictures)
            let count = try pictures.writeShards(to: output, byteCount: shardSize << 20, seed: seed)
            say(
                "\(pictures.items.count) pictures of \(pictures.classNames.count) classes in \(count) "
                    + "shard\(count == 1 ? "" : "s"): \(output)")
        }
    }
}
