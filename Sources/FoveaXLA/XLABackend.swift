import Foundation
import FoveaFiles
import FoveaGraph
import FoveaRuntime

/// Runs graphs on accelerators: a graph becomes a program of StableHLO, which a plugin of the XLA compiler compiles and runs. Plugins
/// are shared libraries with the PJRT interface, one for each kind of device, and are opened when the first backend is made.
///
/// Variables live in the device's memory and are copied when somebody reads them, results when somebody asks for them.
///
/// Matrix products and convolutions keep all bits of float32 numbers in the precisions `strict` and `float32` alike, because what GPUs
/// do to be faster keeps fewer than `float32` promises.
public struct XLABackend: Backend {
    public let precision: Precision
    let client: Client

    /// - Parameters:
    ///   - plugin: the plugin's file.
    ///   - precision: what convolutions and products may do to be faster.
    /// - Throws: `PluginError` for a file that is no plugin, and where it finds no device.
    public init(plugin: some PathConvertible, precision: Precision = .float32) throws {
        self.init(try Client.of(pluginAt: plugin.filePath), precision)
    }

    /// The first device of a kind for which a plugin is found (`PluginFile.all`).
    ///
    /// - Throws: `PluginError.notFound` when there is none, which says what was tried.
    public init(_ kind: PluginFile.Kind, precision: Precision = .float32) throws {
        var tried: [String] = []
        for file in PluginFile.all() where file.kind == nil || file.kind == kind {
            do {
                let client = try Client.of(pluginAt: file.path)
                guard XLABackend(client, precision).kind == kind else {
                    throw PluginError.otherPlatform(
                        path: file.path, platform: client.platform, wanted: kind == .cpu ? "CPU" : "GPU")
                }
                self.init(client, precision)
                return
            } catch let error as PluginError { tried.append("\(error)") }
        }
        throw PluginError.notFound(device: kind.deviceName, tried: tried)
    }

    private init(_ client: Client, _ precision: Precision) {
        (self.client, self.precision) = (client, precision)
    }

    public var name: String { "xla" }

    public var summary: String { "\(name) \(client.platform), \(precision.rawValue)" }

    public var versions: [String: String] {
        var versions = ["pjrt_api": "0.\(client.plugin.minorVersion)", "xla_device": client.deviceName]
        versions["xla_platform"] = client.platformVersion.isEmpty ? nil : client.platformVersion
        for name in ["xla_version", "stablehlo_current_version", "cuda_version"] {
            versions[name] = client.plugin.attributes[name]
        }
        return versions
    }

    /// Where a plugin computes on the CPU, it uses all processors that the process may use.
    public var threadCount: Int {
        client.platform == "cpu" ? ProcessInfo.processInfo.activeProcessorCount : 1
    }

    public var threadShortage: String? { nil }

    /// What it computes on.
    public var kind: PluginFile.Kind { client.platform == "cpu" ? .cpu : .gpu }

    /// What the device is called.
    public var deviceName: String { client.deviceName }

    /// Bytes of the device's memory that computation may use; nil where the plugin does not say.
    public var deviceMemory: Int? { client.memory }

    public func makeWorkspace() -> any Workspace { DeviceMemory() }

    public func compile(_ graph: BoundGraph, in workspace: any Workspace) throws -> any Executable {
        try XLAExecutable(graph, precision: precision, on: client)
    }

    public func table(of graph: BoundGraph) throws -> String {
        try Self.stableHLO(of: graph, precision: precision)
    }

    /// The program that a graph becomes, for which no plugin is needed.
    ///
    /// - Throws: `ShapeError` when two inputs of one name differ in type.
    public static func stableHLO(of graph: BoundGraph, precision: Precision = .float32) throws -> String {
        try Program(graph, precision: precision).text
    }

    /// Plugins give and take the memory of each run, so there is nothing to share.
    private final class DeviceMemory: Workspace {}
}
