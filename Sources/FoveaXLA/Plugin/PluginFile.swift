import Foundation
import FoveaFiles

/// A file that is, by its name, a plugin that computes for Fovea.
public struct PluginFile: Hashable, Sendable {
    /// What plugins compute on.
    public enum Kind: String, Sendable, CaseIterable {
        case cpu, gpu

        /// The device's name in commands.
        public var deviceName: String { self == .cpu ? "xla-cpu" : "gpu" }
    }

    public let path: String
    /// What its name says that it computes on; nil where only opening it tells.
    public let kind: Kind?

    /// - Parameter path: may be anything; it is not looked at.
    public init(_ path: some PathConvertible) {
        self.path = path.filePath
        let name = URL(fileURLWithPath: path.filePath).lastPathComponent
        kind = name.contains("cuda") || name.contains("rocm") ? .gpu : name.contains("cpu") ? .cpu : nil
    }

    /// The plugins of this machine, in the order in which they are tried: those that the environment's `FOVEA_PJRT_PLUGIN` names
    /// (several are parted by colons); those in `plugins` in Fovea's cache folder; those that Python packages bring, in the
    /// environment under way, in `.venv` here, and in the user's and the system's; and libraries in `/usr/local/lib` and `/usr/lib`.
    public static func all() -> [PluginFile] {
        all(environment: ProcessInfo.processInfo.environment, home: NSHomeDirectory())
    }

    static func all(environment: [String: String], home: String, system: [String] = ["/usr/local", "/usr"])
        -> [PluginFile]
    {
        let named = (environment["FOVEA_PJRT_PLUGIN"] ?? "").split(separator: ":").map(String.init)
        func setting(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let caches = setting("XDG_CACHE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home + "/.cache"
        let cache = setting("FOVEA_CACHE") ?? caches + "/fovea"
        let roots =
            ["VIRTUAL_ENV", "CONDA_PREFIX"].compactMap { environment[$0] } + [".venv", home + "/.local"]
            + system
        let packages = roots.flatMap(Self.packageFolders)
        let found =
            plugins(in: cache + "/plugins") + packages.flatMap(plugins(inPackages:))
            + system.flatMap { plugins(directlyIn: $0 + "/lib") }
        var seen = Set<String>()
        return (named + found).filter { seen.insert($0).inserted }.map { PluginFile($0) }
    }

    /// The folders of packages of a Python environment.
    private static func packageFolders(_ root: String) -> [String] {
        (entries(root + "/lib").filter { $0.hasPrefix("python3") }).flatMap { version in
            ["site-packages", "dist-packages"].map { "\(root)/lib/\(version)/\($0)" }
        }
    }

    private static func plugins(inPackages folder: String) -> [String] {
        let cuda = entries(folder + "/jax_plugins").map { "\(folder)/jax_plugins/\($0)" }
        return cuda.flatMap(plugins(directlyIn:))
            + entries(folder).flatMap { plugins(directlyIn: "\(folder)/\($0)") }
    }

    /// Those in a folder and in the folders in it.
    private static func plugins(in folder: String) -> [String] {
        plugins(directlyIn: folder) + entries(folder).flatMap { plugins(directlyIn: "\(folder)/\($0)") }
    }

    private static func plugins(directlyIn folder: String) -> [String] {
        names.map { "\(folder)/\($0)" }.filter { FileManager.default.fileExists(atPath: $0) }
    }

    /// What makers call the files.
    private static let names = ["xla_cuda_plugin.so", "pjrt_c_api_cpu_plugin.so", "pjrt_c_api_gpu_plugin.so"]

    private static func entries(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}
