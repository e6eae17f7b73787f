import CPJRT
import Glibc
import Synchronization

/// A plugin, opened. It stays open until the process ends, since what it has started cannot be stopped.
final class Plugin: Sendable {
    let path: String
    /// That of its interface; the major version is 0.
    let minorVersion: Int
    /// What it says of itself, such as `xla_version`.
    let attributes: [String: String]
    nonisolated(unsafe) let handle: OpaquePointer

    private static let opened = Mutex<[String: Plugin]>([:])

    /// The plugin of a file, which is opened once.
    ///
    /// - Throws: `PluginError.unusable` for a file that is missing, no plugin, or one of another version.
    static func open(_ path: String) throws(PluginError) -> Plugin {
        guard let resolved = realpath(path, nil) else {
            throw .unusable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { free(resolved) }
        let path = String(cString: resolved)
        return try opened.withLock { plugins throws(PluginError) in
            if let plugin = plugins[path] { return plugin }
            let plugin = try Plugin(path)
            plugins[path] = plugin
            return plugin
        }
    }

    private init(_ path: String) throws(PluginError) {
        var handle: OpaquePointer?
        let reason = takenText(fovea_pjrt_open(path, &handle))
        guard reason == nil, let handle else {
            throw .unusable(path: path, reason: reason ?? "no reason given")
        }
        self.path = path
        self.handle = handle
        minorVersion = Int(fovea_pjrt_minor_version(handle))
        let lines = (takenText(fovea_pjrt_attributes(handle)) ?? "").split(separator: "\n")
        attributes = Dictionary(
            lines.compactMap { line in
                let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
                return parts.count == 2 ? (parts[0], parts[1]) : nil
            }, uniquingKeysWith: { first, _ in first })
    }
}

/// A text that is ours to free.
func takenText(_ text: UnsafeMutablePointer<CChar>?) -> String? {
    guard let text else { return nil }
    defer { fovea_pjrt_free(text) }
    return String(cString: text)
}
