import FoveaRuntime

/// Found by `Device.gpu`, `Device.xlaCPU` and `Device.xla` where this target is linked.
@_cdecl("fovea_make_xla_backend")
func makeXLABackend(
    plugin: UnsafePointer<CChar>?, isForCPU: Int32, precision number: Int32
) -> UnsafeMutableRawPointer? {
    guard Precision.allCases.indices.contains(Int(number)) else { return nil }
    let precision = Precision.allCases[Int(number)]
    let backend = Result<any Backend, any Error> {
        if let plugin { return try XLABackend(plugin: String(cString: plugin), precision: precision) }
        return try XLABackend(isForCPU != 0 ? .cpu : .gpu, precision: precision)
    }
    return Unmanaged.passRetained(LinkedBackend(backend)).toOpaque()
}
