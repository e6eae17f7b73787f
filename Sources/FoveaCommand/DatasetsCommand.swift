import ArgumentParser
import Foundation
import Fovea

struct DatasetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datasets", abstract: "List, get, show and verify data sets.",
        discussion: """
            A data set is read from $FOVEA_DATA/NAME or $FOVEA_DATA, the cache, or /usr/share/datasets/NAME; \
            what none of them has is downloaded to the cache: $FOVEA_CACHE, else $XDG_CACHE_HOME/fovea, else \
            ~/.cache/fovea.
            """,
        subcommands: [List.self, Get.self, Show.self, Verify.self, Shard.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the data sets that are known by name.")

        func run() {
            for name in DatasetName.allCases {
                let info = name.info
                say(
                    "\(name.rawValue)\t\(info.title)\t\(info.classCount) classes\t\(info.imageSize)\t\(info.licence)"
                )
            }
        }
    }

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a data set available on this machine and count its images.")

        @Argument(help: "The data set's name; see 'fovea datasets list'.")
        var name: String

        func validate() throws { _ = try named(name, "data set", of: DatasetName.self) }

        func run() async throws {
            let dataset = try await load(named(name, "data set"))
            say(dataset.summary)
            say(dataset.countsTable)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the classes, sizes and first images of a data set, or of a folder of pictures.",
            discussion: """
                A folder has a folder for each class, or 'train' and perhaps 'validation' and 'test' with a folder for \
                each class. With --output or --show the images are drawn in a grid.
                """)

        @Argument(help: "The data set's name, or a folder of pictures.")
        var name: String

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp(
                "How many images to show (default: 5, in a grid 25).", valueName: "count"))
        var images: Int?

        @OptionGroup var figure: FigureOptions

        private var imageCount: Int { images ?? (figure.areGiven ? 25 : 5) }

        func validate() throws {
            _ = try DataSource(name)
            guard imageCount >= 0 else {
                throw ValidationError("--images must not be negative, not \(imageCount)")
            }
            guard !figure.areGiven || (1...10_000).contains(imageCount) else {
                throw ValidationError("--images must be from 1 to 10000 for a grid, not \(imageCount)")
            }
        }

        func run() async throws {
            try figure.check()
            switch try DataSource(name) {
            case .named(let name): try show(await load(name))
            case .folder(let path): try showFolder(path)
            }
        }

        private func show(_ dataset: NamedDataset) throws {
            let info = dataset.name.info
            say(dataset.summary)
            say("Images: \(info.imageSize), bytes")
            say("Licence: \(info.licence)")
            if !info.citation.isEmpty { say("Cite: \(info.citation)") }
            say("\n" + dataset.countsTable)
            if figure.areGiven {
                return try figure.deliver(
                    Figure.images(
                        of: dataset.train, count: imageCount, classNames: dataset.classNames,
                        title: info.title, theme: figure.chosenTheme))
            }
            if imageCount > 0 { say(try "\n" + dataset.samplesTable(count: imageCount)) }
        }

        private func showFolder(_ path: String) throws {
            let parts: [(String, ImageFolder)]
            let splits = try ImageFolder.splits(of: path)
            if let splits {
                let all = [("train", splits.train), ("validation", splits.validation), ("test", splits.test)]
                parts = all.compactMap { title, folder in folder.map { (title, $0) } }
            } else {
                parts = [("pictures", try ImageFolder(path))]
            }
            let counts = parts.map(\.1.counts)
            let classNames = parts[0].1.classNames
            var rows = [["class", "name"] + parts.map(\.0)]
            for (label, className) in classNames.enumerated() {
                rows.append(["\(label)", className] + counts.map { "\($0[label])" })
            }
            say(table(rows))
            for (title, folder) in parts {
                if let leftOut = folder.leftOut { say("\(title): \(leftOut)") }
                if folder.outsideLinkCount > 0 {
                    let links =
                        folder.outsideLinkCount == 1
                        ? "1 link leads" : "\(folder.outsideLinkCount) links lead"
                    say("\(title): \(links) out of the folder")
                }
            }
            for part in splits?.unlabelled ?? [] { say(part.withoutClasses) }
            if figure.areGiven { return try figure.deliver(grid(of: parts[0].1)) }
            if imageCount > 0 { say("\n" + samples(of: parts[0].1)) }
        }

        /// Pictures as far apart as for the table; those that cannot be read are named and left out.
        private func grid(of folder: ImageFolder) throws -> Figure {
            var (pictures, titles) = ([any FigureData](), [String]())
            for item in spread(folder) {
                do throws(PictureError) {
                    pictures.append(try item.picture().reduced())
                    titles.append(folder.classNames[item.label])
                } catch {
                    warn("\(error)")
                }
            }
            return try Figure.images(
                pictures, titles: titles, title: folder.path, theme: figure.chosenTheme)
        }

        /// Pictures of a folder, as far apart as there are classes and more.
        private func spread(_ folder: ImageFolder) -> [ImageFolder.Item] {
            let count = min(imageCount, folder.items.count)
            return (0..<count).map { folder.items[$0 * folder.items.count / count] }
        }

        private func samples(of folder: ImageFolder) -> String {
            let rows = spread(folder).map { item -> [String] in
                let form: String
                do throws(PictureError) {
                    let picture = try item.picture()
                    let isGrey = picture.channels < 3
                    form = "\(picture.height)×\(picture.width) \(isGrey ? "grey" : "in colour")"
                } catch {
                    form = "cannot be read: \(error.message)"
                }
                return [item.path, folder.classNames[item.label], form]
            }
            return table([["picture", "class", "size"]] + rows)
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare the files that this machine has with the published ones.",
            discussion: "Downloads nothing but OpenML's descriptions, which have the checksums of its files.")

        @Argument(help: "The data set's name; see 'fovea datasets list'.")
        var name: String

        func validate() throws { _ = try named(name, "data set", of: DatasetName.self) }

        func run() async throws {
            let name: DatasetName = try named(name, "data set")
            let checks = try await DatasetLibrary().verify(name)
            if checks.isEmpty { say("\(name.info.title): there are no files") }
            for check in checks { say("\(check.path): \(check.result)") }
            let different = checks.count { if case .different = $0.result { true } else { false } }
            guard different == 0 else {
                throw CommandError("\(different) of \(checks.count) files are not as published")
            }
        }
    }
}

extension Picture {
    /// No larger than it would be drawn in a grid, so that thousands have room in memory.
    fileprivate func reduced() throws(PictureError) -> Picture {
        let scale = 300 / Double(max(height, width))
        guard scale < 1 else { return self }
        return try resized(
            height: max(1, Int(Double(height) * scale)), width: max(1, Int(Double(width) * scale)))
    }
}

extension DatasetInfo {
    fileprivate var imageSize: String { imageShape.dimensions.map(String.init).joined(separator: "×") }
}

extension NamedDataset {
    fileprivate var summary: String {
        "\(name.info.title): \(train.count) training and \(test.count) test images"
    }

    fileprivate var countsTable: String {
        let counts = [train, test].map { examples in
            examples.targets[0].integers.reduce(into: [Int](repeating: 0, count: classNames.count)) {
                counts, label in
                counts[Int(label)] += 1
            }
        }
        var rows = [["class", "name", "training", "test"]]
        for (label, className) in classNames.enumerated() {
            rows.append(["\(label)", className, "\(counts[0][label])", "\(counts[1][label])"])
        }
        return table(rows)
    }

    /// The first training images, with the least, the mean and the greatest value of their pixels.
    fileprivate func samplesTable(count: Int) throws -> String {
        var rows = [["image", "class", "min", "mean", "max"]]
        for index in 0..<min(count, train.count) {
            let example = try train[index..<(index + 1)]
            let pixels = example.inputs[0].integers
            let mean = Double(pixels.reduce(0) { $0 + Int($1) }) / Double(pixels.count)
            rows.append([
                "\(index)", classNames[Int(example.targets[0].integers[0])], "\(pixels.min() ?? 0)",
                String(format: "%.1f", mean), "\(pixels.max() ?? 0)",
            ])
        }
        return table(rows)
    }
}

/// Rows in columns of equal width: the second to the left, for names, the others to the right.
private func table(_ rows: [[String]]) -> String {
    let rows = rows.map { $0.map { visible($0) } }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
        row.indices.map { column in
            let space = String(repeating: " ", count: widths[column] - row[column].count)
            return column == 1 ? row[column] + space : space + row[column]
        }.joined(separator: "  ")
    }.joined(separator: "\n")
}
