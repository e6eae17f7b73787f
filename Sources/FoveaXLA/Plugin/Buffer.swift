import CPJRT

/// Numbers in a device's memory, which stay as they are until a run is given their memory for others. They go with the last
/// reference.
final class Buffer: Sendable {
    nonisolated(unsafe) let handle: OpaquePointer

    /// - Parameter handle: belongs to the buffer from now on.
    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { fovea_pjrt_destroy_buffer(handle) }
}
