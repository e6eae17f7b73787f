import ArgumentParser
import Foundation
import Fovea

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract:
            "Show the tensors, their first numbers and the metadata of a file, whatever program wrote it.",
        discussion: "Files: safetensors, PyTorch's .pt and .pth, Keras's .keras and .h5, ONNX.")

    @Argument(help: "The file.", transform: filePath)
    var file: String

    @Flag(help: "Show all tensors, and all of the metadata.")
    var all = false

    private static let tensorLimit = 100
    private static let metadataLimit = 20

    func run() throws {
        let contents = try FileContents(contentsOf: file)
        let elements = contents.tensors.reduce(0) { $0 + $1.elementCount }
        let bytes = contents.tensors.reduce(0) { $0 + $1.bytes.count }
        say(
            "\(visible(file)): \(contents.format), \(contents.tensors.count) tensors, \(elements) numbers, \(bytes) bytes"
        )

        let entries = all ? contents.metadata[...] : contents.metadata.prefix(Self.metadataLimit)
        if !entries.isEmpty { say("\nMetadata:") }
        for (name, value) in entries {
            say(
                "  \(visible(name)): \(all ? visible(value, limit: max(100, value.utf8.count)) : visible(value, limit: 200))"
            )
        }
        sayRest(contents.metadata.count - entries.count, "entries")

        let shown = all ? contents.tensors[...] : contents.tensors.prefix(Self.tensorLimit)
        if !shown.isEmpty { say("\nTensors:") }
        let rows = shown.map { tensor in
            let first = tensor.firstElements(4).joined(separator: " ")
            return [
                visible(tensor.name), tensor.type.rawValue, "\(tensor.shape)",
                first + (tensor.elementCount > 4 ? " …" : ""),
            ]
        }
        let widths = (0..<3).map { column in rows.map(\.[column].count).max() ?? 0 }
        for row in rows {
            let cells = zip(row, widths).map {
                $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0)
            }
            say("  " + (cells + [row[3]]).joined(separator: "  "))
        }
        sayRest(contents.tensors.count - shown.count, "tensors")
    }

    private func sayRest(_ count: Int, _ what: String) {
        if count > 0 { say("  … and \(count) more \(what); --all shows them") }
    }
}
