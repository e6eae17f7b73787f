import FoveaFiles

/// Something about a plugin that computes for Fovea did not work.
public enum PluginError: Error, Hashable, CustomStringConvertible {
    /// A file that is no plugin, or none that can be used.
    case unusable(path: String, reason: String)
    /// A plugin has started nothing, mostly because it finds no device.
    case noDevice(path: String, reason: String)
    /// A plugin computes on another kind of device than was asked for.
    case otherPlatform(path: String, platform: String, wanted: String)
    /// No plugin for a kind of device.
    case notFound(device: String, tried: [String])
    /// A call of a plugin failed.
    case failed(action: String, device: String, reason: String)

    public var description: String { visible(text) }

    private var text: String {
        switch self {
        case .unusable(let path, let reason): "the plugin \(path) cannot be used: \(reason)"
        case .noDevice(let path, let reason): "the plugin \(path) gives no device: \(reason)"
        case .otherPlatform(let path, let platform, let wanted):
            "the plugin \(path) computes on '\(platform)', not on a \(wanted)"
        case .notFound(let device, let tried):
            "there is no plugin for the device '\(device)'\(tried.isEmpty ? "" : " that can be used"); `fovea devices` "
                + "says how to get one, and FOVEA_PJRT_PLUGIN may name its file"
                + tried.map { "\n  \($0)" }.joined()
        case .failed(let action, let device, let reason): "\(device) could not \(action): \(reason)"
        }
    }
}
