import FoveaRuntime
import FoveaXLA
import Testing

/// The plugin that tests compute with: the first that computes on the CPU.
enum PluginForTests {
    static let path = PluginFile.all().first { $0.kind == .cpu }?.path

    /// - Throws: where there is no plugin; tests with the trait `needsPlugin` do not run then.
    static func backend(_ precision: Precision = .strict) throws -> XLABackend {
        try XLABackend(plugin: try #require(path), precision: precision)
    }
}

extension Trait where Self == ConditionTrait {
    static var needsPlugin: Self {
        .enabled(
            if: PluginForTests.path != nil,
            "needs a plugin that computes on the CPU: scripts/plugin gets one, and FOVEA_PJRT_PLUGIN may name its file"
        )
    }
}
