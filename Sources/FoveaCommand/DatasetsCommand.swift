import ArgumentParser
import Fovea

struct DatasetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datasets", abstract: "List and get data sets.",
        discussion: """
            A data set is read from $FOVEA_DATA/NAME or $FOVEA_DATA, the cache, or /usr/share/datasets/NAME; \
            what none of them has is downloaded to the cache: $FOVEA_CACHE, else $XDG_CACHE_HOME/fovea, else \
            ~/.cache/fovea.
            """,
        subcommands: [List.self, Get.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the data sets that are known by name.")

        func run() {
            for name in DatasetName.allCases {
                let info = name.info
                let size = info.imageShape.dimensions.map(String.init).joined(separator: "×")
                print("\(name.rawValue)\t\(info.title)\t\(info.classCount) classes\t\(size)\t\(info.licence)")
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
            print(
                "\(dataset.name.info.title): \(dataset.train.count) training and \(dataset.test.count) test images"
            )
            for (label, className) in dataset.classNames.enumerated() {
                print(
                    "\(label)\t\(className)\t\(count(of: label, in: dataset.train))\t\(count(of: label, in: dataset.test))"
                )
            }
        }

        private func count(of label: Int, in examples: Examples) -> Int {
            examples.targets[0].integers.count { Int($0) == label }
        }
    }
}
