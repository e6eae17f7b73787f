import CPJRT
import FoveaGraph
import FoveaRuntime
import Synchronization

/// What a plugin has started, with the first of its devices: one for each plugin, so that all that is computed with it shares its
/// memory.
final class Client: Sendable {
    let plugin: Plugin
    /// Such as `cpu` or `cuda`.
    let platform: String
    let platformVersion: String
    /// What the device is called, such as `NVIDIA H200`.
    let deviceName: String
    /// Bytes that the device's memory has for computation; nil where the plugin does not say.
    let memory: Int?
    nonisolated(unsafe) let handle: OpaquePointer

    private static let started = Mutex<[String: Client]>([:])

    /// The client of a plugin's file.
    ///
    /// - Throws: `PluginError` for a file that is no plugin, and where it finds no device.
    static func of(pluginAt path: String) throws(PluginError) -> Client {
        let plugin = try Plugin.open(path)
        return try started.withLock { clients throws(PluginError) in
            if let client = clients[plugin.path] { return client }
            let client = try Client(plugin)
            clients[plugin.path] = client
            return client
        }
    }

    private init(_ plugin: Plugin) throws(PluginError) {
        handle = try Self.start(plugin)
        self.plugin = plugin
        platform = takenText(fovea_pjrt_text(handle, fovea_pjrt_platform_name)) ?? "unknown"
        platformVersion = takenText(fovea_pjrt_text(handle, fovea_pjrt_platform_version)) ?? ""
        deviceName = takenText(fovea_pjrt_text(handle, fovea_pjrt_device_kind)) ?? platform
        let memory = fovea_pjrt_memory(handle)
        self.memory = memory > 0 ? Int(memory) : nil
    }

    /// A plugin refuses options that it does not know, so what suits most is tried first.
    private static func start(_ plugin: Plugin) throws(PluginError) -> OpaquePointer {
        let isForCUDA = plugin.attributes["cuda_version"] != nil
        var reason: String?
        for options in isForCUDA ? [Option.oneGPU, []] : [Option.oneCPU, []] {
            var handle: OpaquePointer?
            let values = options.map { $0.value }
            reason = takenText(fovea_pjrt_create_client(plugin.handle, values, Int64(values.count), &handle))
            if let handle { return handle }
        }
        throw .noDevice(path: plugin.path, reason: reason ?? "no reason given")
    }

    /// An option of a client.
    private struct Option {
        let name: StaticString
        let kind: fovea_pjrt_kind
        let number: Int64

        /// The CPU as one device: plugins make several of it, each with a part of the work.
        static let oneCPU = [Option(name: "cpu_device_count", kind: fovea_pjrt_integer, number: 1)]

        /// The first GPU, of whose memory no more is taken than is needed, since others may use it.
        static let oneGPU = [
            Option(name: "visible_devices", kind: fovea_pjrt_list, number: 0),
            Option(name: "preallocate", kind: fovea_pjrt_truth, number: 0),
        ]

        var value: fovea_pjrt_option {
            let pointer = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
            return fovea_pjrt_option(name: pointer, kind: kind, integer: number)
        }
    }

    /// What went wrong on this device.
    func failure(_ action: String, _ reason: String) -> PluginError {
        .failed(action: action, device: deviceName, reason: reason)
    }

    // MARK: - Numbers

    /// A copy of a value in the device's memory.
    ///
    /// - Throws: `PluginError.failed`, such as when its memory is full.
    @Compute
    func send(_ value: TensorValue) throws -> Buffer {
        try value.withUnsafeBytes { try send($0, TensorType(value.shape, value.dtype)) }
    }

    /// A copy of elements in row-major order in the device's memory.
    @Compute
    func send(_ bytes: UnsafeRawBufferPointer, _ type: TensorType) throws -> Buffer {
        var handle: OpaquePointer?
        let extents = type.shape.dimensions.map(Int64.init)
        // Without elements there may be no address.
        let reason = withUnsafeBytes(of: UInt64(0)) { nothing in
            takenText(
                fovea_pjrt_send(
                    self.handle, bytes.baseAddress ?? nothing.baseAddress!, type.dtype.pluginNumber, extents,
                    Int64(extents.count), &handle))
        }
        guard reason == nil, let handle else {
            throw failure("take \(type) into its memory", reason ?? "no reason given")
        }
        return Buffer(handle)
    }

    /// A value copied from the device's memory.
    @Compute
    func fetch(_ buffer: Buffer, _ type: TensorType) throws -> TensorValue {
        let count = type.shape.elementCount * type.dtype.byteCount
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 64)
        defer { memory.deallocate() }
        guard let start = memory.baseAddress else { throw failure("give back \(type)", "no memory") }
        if let reason = takenText(
            fovea_pjrt_fetch(buffer.handle, Int64(type.shape.rank), start, Int64(count)))
        {
            throw failure("give back \(type)", reason)
        }
        return try TensorValue(
            shape: type.shape, dtype: type.dtype, bytes: UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }
}

extension DType {
    /// That of the plugins' enumeration of element types.
    fileprivate var pluginNumber: Int32 {
        switch self {
        case .bool: 1
        case .int32: 4
        case .uint8: 6
        case .float32: 11
        case .bfloat16: 13
        }
    }
}
