import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// Runs plans on the CPU: convolutions, matrix products and average pooling by oneDNN, in parts that threads share out, and all
/// else by vector loops. Results do not depend on the number of threads.
public struct OneDNNBackend: Backend {
    /// What it computes with: `float32` where `mixedBFloat16` was asked for and this CPU has no bfloat16 arithmetic.
    public let precision: Precision
    /// What chooses algorithms by timing them; nil where they follow from precision, shape and CPU.
    public let tuner: Tuner?

    /// - Parameters:
    ///   - precision: what convolutions and products may do to be faster.
    ///   - tuner: chooses the algorithms of what is compiled by timing them; without one, the same follow from the same
    ///     request at every run.
    public init(precision: Precision = .float32, tuner: Tuner? = nil) {
        self.tuner = tuner
        let isMissing = precision == .mixedBFloat16 && Self.bfloat16Unit == "none"
        self.precision = isMissing ? .float32 : precision
    }
    public var name: String { "onednn" }

    public var summary: String {
        "\(name), \(precision.rawValue)\(tuner == nil ? "" : ", algorithms timed")"
    }

    public var versions: [String: String] {
        [
            "onednn": Self.libraryVersion, "vector_instructions": Self.vectorKind,
            "bfloat16_unit": Self.bfloat16Unit,
        ]
    }

    public var threadCount: Int { Self.threadCount }

    public var threadShortage: String? { Self.threadShortage }

    /// The library's version, such as `2.6.3`.
    public static var libraryVersion: String { String(cString: fovea_onednn_version()) }

    /// The vector instructions that elementwise work uses: `avx512`, `avx2` or `baseline`. The environment's `FOVEA_CPU` may name one
    /// that this CPU has more than, for it and for oneDNN; `avx512` also leaves out matrix tiles.
    public static var vectorKind: String { String(cString: fovea_vector_kind()) }

    /// What computes with bfloat16 numbers: `amx` (matrix tiles), `avx512_bf16` (dot products) or `none`.
    public static var bfloat16Unit: String { String(cString: fovea_bfloat16_unit()) }

    /// Threads that computation uses: as many as `OMP_NUM_THREADS` says, or as this process may use processors; at most
    /// 256, or the number of processors where that is more, and no more than the system gives (`threadShortage`).
    public static var threadCount: Int { Int(fovea_thread_count()) }

    /// Why computation uses fewer threads than was asked for, such as a limit on processes; nil where it does not.
    public static var threadShortage: String? {
        let text = String(cString: fovea_thread_shortage())
        return text.isEmpty ? nil : text
    }

    public func makeWorkspace() -> any Workspace { Arena() }

    public func compile(_ graph: BoundGraph, in workspace: any Workspace) throws -> any Executable {
        try OneDNNExecutable(graph, plan: plan(graph), arena: workspace as? Arena ?? Arena())
    }

    public func table(of graph: BoundGraph) throws -> String { try plan(graph).table() }

    /// The calls that `compile` would prepare.
    @Compute
    public func plan(_ graph: BoundGraph) throws -> Plan {
        if let text = fovea_unknown_limit_of_cpu() {
            throw RunError.unknownSetting(
                "FOVEA_CPU", value: String(cString: text), known: ["avx512", "avx2", "baseline"])
        }
        var layouts: [Variable: Layout] = [:]
        for variable in graph.variables {
            if let resident = variable.currentStorage as? ResidentStorage {
                layouts[variable] = resident.layout
            }
        }
        var catalog = OneDNNCatalog(precision: precision, threads: Self.threadCount)
        while true {
            let plan = try Plan(graph, catalog: catalog, residentLayouts: layouts)
            guard let tuner, try tuner.tune(&catalog, for: plan) else { return plan }
        }
    }
}

extension Device {
    /// The CPU, with algorithms chosen by timing them.
    ///
    /// - Parameters:
    ///   - precision: what convolutions and products may do to be faster.
    ///   - tuner: times what is compiled, unless it knows the times; without one, the same algorithms follow from the same
    ///     request at every run.
    public static func cpu(precision: Precision = .float32, tuner: Tuner?) -> Device {
        Device(OneDNNBackend(precision: precision, tuner: tuner))
    }
}

/// Found by `Device.cpu` where this target is linked.
@_cdecl("fovea_make_cpu_backend")
func makeCPUBackend(precision number: Int32) -> UnsafeMutableRawPointer? {
    guard Precision.allCases.indices.contains(Int(number)) else { return nil }
    let backend = OneDNNBackend(precision: Precision.allCases[Int(number)])
    return Unmanaged.passRetained(LinkedBackend(.success(backend))).toOpaque()
}
