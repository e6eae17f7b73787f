import FoveaFiles
import FoveaGraph

/// What the elements of a data set are made of, as far as is cheap to find out: a training that goes on notices by it that
/// the data is not what it was.
///
/// Of a folder of pictures it has the names of the classes, and of each class the names and sizes of its files, not what is
/// in them. Where the folder is makes no difference, nor does the form of Unicode that names have. Of examples in memory it
/// has every number.
package enum DataFingerprint: Codable, Hashable, Sendable {
    case pictures(classes: [PictureClass])
    case examples([Tensor])

    package struct PictureClass: Codable, Hashable, Sendable {
        let name: String
        let count: Int
        /// Digests of the files' names and of their sizes, in the order of the pictures.
        let names: String
        let sizes: String
    }

    package struct Tensor: Codable, Hashable, Sendable {
        let type: String
        let sha256: String?
    }

    init(_ folder: ImageFolder) {
        var digests = folder.classNames.map { _ in (count: 0, names: FNV1a(), sizes: FNV1a()) }
        let prefix = folder.path.utf8.count + (folder.path.hasSuffix("/") ? 0 : 1)
        for item in folder.items {
            let name = String(decoding: item.path.utf8.dropFirst(prefix), as: UTF8.self).normalForm
            digests[item.label].count += 1
            // No name contains the byte 0.
            for byte in name.utf8 { digests[item.label].names.add(byte) }
            digests[item.label].names.add(UInt8(0))
            digests[item.label].sizes.add(item.byteCount)
        }
        self = .pictures(
            classes: zip(folder.classNames, digests).map { name, digest in
                PictureClass(
                    name: name, count: digest.count, names: digest.names.text, sizes: digest.sizes.text)
            })
    }

    init(_ examples: Examples) {
        let tensors = examples.inputs + examples.targets + (examples.weights.map { [$0] } ?? [])
        self = .examples(
            tensors.map { value in
                Tensor(
                    type: "\(TensorType(value.shape, value.dtype))",
                    sha256: value.withUnsafeBytes(Digest.sha256).map(Digest.hexadecimal))
            })
    }
}

extension DataFingerprint {
    /// What of some data is not as it was, to go on behind "its training data"; nil when it is the same, or data of another
    /// form.
    package static func difference(from earlier: [Self], to later: [Self]) -> String? {
        guard earlier.count == later.count else { return nil }
        for (earlier, later) in zip(earlier, later) where earlier != later {
            switch (earlier, later) {
            case (.pictures(let earlier), .pictures(let later)): return difference(from: earlier, to: later)
            case (.examples(let earlier), .examples(let later)):
                return earlier.map(\.type) == later.map(\.type) ? "had other numbers than now" : nil
            default: return nil
            }
        }
        return nil
    }

    private static func difference(from earlier: [PictureClass], to later: [PictureClass]) -> String? {
        let (names, others) = (earlier.map(\.name), later.map(\.name))
        guard names == others else {
            let (before, now) = (Set(names), Set(others))
            let changes = [
                ("no longer has", names.filter { !now.contains($0) }),
                ("now also has", others.filter { !before.contains($0) }),
            ].filter { !$1.isEmpty }
            if changes.isEmpty { return "has its classes in another order" }
            return changes.map { "\($0) the \($1.count == 1 ? "class" : "classes") \(list($1))" }
                .joined(separator: " and ")
        }
        for (earlier, later) in zip(earlier, later) where earlier != later {
            let name = visible(later.name)
            if earlier.count != later.count {
                return "had \(earlier.count) pictures of the class \(name), now has \(later.count)"
            }
            if earlier.names != later.names { return "had other names of files in the class \(name)" }
            return "had other sizes of files in the class \(name), so that pictures were replaced"
        }
        return nil
    }

    /// The first of many names.
    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(10).map { visible($0, limit: VisibleText.nameLimit) }.joined(separator: ", ")
        return names.count > 10 ? "\(shown) and \(names.count - 10) more" : shown
    }
}
