@testable import FoveaDatasets

/// A small archive as CIFAR's are published, packed: one record for each file.
func cifarArchive(
    _ kind: CIFAR.Kind, except missing: String = "", twice: String = "", names: [String]? = nil
) throws -> [UInt8] {
    let members = kind.members
    var tar = TarFile()
    tar.add(members.folder, kind: "5")
    for (number, name) in (members.train + members.test + [members.classNames]).enumerated()
    where name != missing {
        let isText = name == members.classNames
        let labels: [UInt8] = kind == .ten ? [UInt8(number)] : [UInt8(number), UInt8(90 + number)]
        let text = (names ?? kind.testClassNames).joined(separator: "\n") + "\n\n"
        let data = isText ? Array(text.utf8) : labels + noise(3072)
        tar.add(members.folder + "/" + name, data)
        if name == twice { tar.add(members.folder + "/" + name, data) }
    }
    return try gzip(tar.ended)
}

extension CIFAR.Kind {
    var testClassNames: [String] { (0..<classCount).map { "class \($0)" } }
}
