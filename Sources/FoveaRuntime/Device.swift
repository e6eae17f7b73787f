import CDevices
import FoveaFiles
import FoveaGraph

/// Where graphs are computed.
///
/// ```swift
/// let trainer = try model.compile(optimizer: .adam(), loss: .meanSquaredError, device: .cpu)
/// ```
///
/// The CPU's backend is the target `FoveaOneDNN`, that of GPUs and of other plugins `FoveaXLA`; `import Fovea` brings both along. A
/// program that computes elsewhere need not link them.
public struct Device: Sendable, CustomStringConvertible {
    /// Such as `cpu`.
    public let description: String
    private let makeBackend: @Sendable () throws -> any Backend

    /// Any backend, for those that have no name here.
    public init(_ backend: any Backend) {
        description = backend.name
        makeBackend = { backend }
    }

    private init(_ description: String, _ makeBackend: @escaping @Sendable () throws -> any Backend) {
        self.description = description
        self.makeBackend = makeBackend
    }

    /// The CPU, computing in `float32`.
    public static let cpu = Device.cpu(precision: .float32)

    /// The CPU.
    ///
    /// - Parameter precision: what convolutions and products may do to be faster.
    public static func cpu(precision: Precision) -> Device {
        linked("cpu", precision, target: "FoveaOneDNN") { fovea_linked_cpu_backend($0) }
    }

    /// The first GPU, computing in `float32`, by the plugin that is found first.
    public static let gpu = Device.gpu(precision: .float32)

    /// The first GPU, by the plugin that is found first.
    ///
    /// - Parameter precision: what convolutions and products may do to be faster.
    public static func gpu(precision: Precision) -> Device {
        linked("gpu", precision, target: "FoveaXLA") { fovea_linked_xla_backend(nil, 0, $0) }
    }

    /// The CPU by a plugin, the first that is found, computing in `float32`: what a program does on a GPU can be tried with it.
    public static let xlaCPU = Device.xlaCPU(precision: .float32)

    /// The CPU by a plugin, the first that is found.
    ///
    /// - Parameter precision: what convolutions and products may do to be faster.
    public static func xlaCPU(precision: Precision) -> Device {
        linked("xla-cpu", precision, target: "FoveaXLA") { fovea_linked_xla_backend(nil, 1, $0) }
    }

    /// The first device of a plugin.
    ///
    /// - Parameters:
    ///   - plugin: a shared library with the PJRT interface.
    ///   - precision: what convolutions and products may do to be faster.
    public static func xla(plugin: some PathConvertible, precision: Precision = .float32) -> Device {
        let path = plugin.filePath
        return linked("xla", precision, target: "FoveaXLA") { fovea_linked_xla_backend(path, 0, $0) }
    }

    /// The names that `init(named:precision:)` knows.
    public static let names = ["cpu", "gpu", "xla-cpu"]

    /// A device by its name.
    ///
    /// - Parameters:
    ///   - name: one of `names`.
    ///   - precision: what convolutions and products may do to be faster.
    /// - Throws: `RunError.unknownDevice` for another name.
    public init(named name: String, precision: Precision = .float32) throws {
        switch name {
        case "cpu": self = .cpu(precision: precision)
        case "gpu": self = .gpu(precision: precision)
        case "xla-cpu": self = .xlaCPU(precision: precision)
        default: throw RunError.unknownDevice(name, known: Self.names)
        }
    }

    /// A device whose backend comes out of another target, by the number of a precision.
    private static func linked(
        _ name: String, _ precision: Precision, target: String,
        _ make: @escaping @Sendable (Int32) -> UnsafeMutableRawPointer?
    ) -> Device {
        Device(name) {
            guard let number = Precision.allCases.firstIndex(of: precision),
                let pointer = make(Int32(number))
            else { throw RunError.notLinked(device: name, target: target) }
            return try Unmanaged<LinkedBackend>.fromOpaque(pointer).takeRetainedValue().backend.get()
        }
    }

    /// Each operation by its reference implementation, in plain Swift: slow, and what every backend is compared with.
    public static let reference = Device(ReferenceBackend())

    /// What computes there.
    ///
    /// - Throws: `RunError.notLinked` when the program lacks the target that has it, and what says that a device cannot be used.
    public var backend: any Backend {
        get throws { try makeBackend() }
    }
}

/// How a backend, or why there is none, comes out of a target that this one does not import.
package final class LinkedBackend: Sendable {
    let backend: Result<any Backend, any Error>

    package init(_ backend: Result<any Backend, any Error>) { self.backend = backend }
}

/// Numerical freedom of a backend.
public enum Precision: String, Sendable, Codable, CaseIterable {
    /// float32 numbers. Convolutions and products may use Winograd's algorithm or, on CPUs with matrix tiles, numbers split
    /// into three of bfloat16 (forward convolutions: all 24 bits) or two (gradients and matrix products: 16 bits). Errors
    /// stay below 10⁻⁴ of the Euclidean norm of a sum's terms. GPUs form sums directly.
    case float32
    /// float32 parameters and activations; convolutions and products round their operands to bfloat16 and sum in float32. On
    /// CPUs without bfloat16 arithmetic the same as `float32`.
    case mixedBFloat16
    /// float32 throughout, every sum formed directly.
    case strict
}
