import CDevices
import FoveaGraph

/// Where graphs are computed.
///
/// ```swift
/// let trainer = try model.compile(optimizer: .adam(), loss: .meanSquaredError, device: .cpu)
/// ```
///
/// The CPU's backend is the target `FoveaOneDNN`, which `import Fovea` brings along. A program that computes elsewhere need not
/// link it.
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
        Device("cpu") {
            guard let number = Precision.allCases.firstIndex(of: precision),
                let pointer = fovea_linked_cpu_backend(Int32(number))
            else { throw RunError.notLinked(device: "cpu", target: "FoveaOneDNN") }
            let holder = Unmanaged<LinkedBackend>.fromOpaque(pointer).takeRetainedValue()
            return holder.backend
        }
    }

    /// Each operation by its reference implementation, in plain Swift: slow, and what every backend is compared with.
    public static let reference = Device(ReferenceBackend())

    /// What computes there.
    ///
    /// - Throws: `RunError.notLinked` when the program lacks the target that has it.
    public var backend: any Backend {
        get throws { try makeBackend() }
    }
}

/// How a backend comes out of a target that this one does not import.
package final class LinkedBackend: Sendable {
    let backend: any Backend

    package init(_ backend: any Backend) { self.backend = backend }
}

/// Numerical freedom of a backend.
public enum Precision: String, Sendable, Codable, CaseIterable {
    /// float32 numbers. Convolutions and products may use Winograd's algorithm or, on CPUs with matrix tiles, numbers split
    /// into three of bfloat16 (forward convolutions: all 24 bits) or two (gradients and matrix products: 16 bits). Errors
    /// stay below 10⁻⁴ of the Euclidean norm of a sum's terms.
    case float32
    /// float32 parameters and activations; convolutions and products round their operands to bfloat16 and sum in float32. On
    /// CPUs without bfloat16 arithmetic the same as `float32`.
    case mixedBFloat16
    /// float32 throughout, every sum formed directly.
    case strict
}
