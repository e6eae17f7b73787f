import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// Where a call's operands are in memory.
struct Operands {
    let addresses: [Plan.Operand.Role: UnsafeMutableRawPointer]
    /// Weights that are packed again only when they have changed; nil for others.
    let keptWeights: (any Versioned)?
    /// Where the numbers come from, of those of which it is known.
    let origins: [Plan.Operand.Role: Origin]
    private let kernelName: String
    private let elements: [Plan.ValueID: Element]

    enum Origin {
        /// They change only when this does.
        case lasting(any Versioned)
        /// Written in the same run, before.
        case call(any KernelCall)
    }

    typealias Element = (address: UnsafeMutableRawPointer, dtype: DType)

    /// Those of a planned call.
    init(
        of call: Plan.Call, _ element: (Plan.ValueID) -> Element, keptWeights: (any Versioned)?,
        origin: (Plan.ValueID) -> Origin?
    ) {
        kernelName = call.request.name
        elements = Dictionary(
            call.operands.map { ($0.value, element($0.value)) }, uniquingKeysWith: { first, _ in first })
        addresses = Dictionary(
            call.operands.map { ($0.role, element($0.value).address) },
            uniquingKeysWith: { first, _ in first })
        self.keptWeights = keptWeights
        origins = Dictionary(
            call.operands.compactMap { operand in origin(operand.value).map { (operand.role, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// Those of a kernel outside of a plan.
    init(of kernelName: String, _ addresses: [Plan.Operand.Role: UnsafeMutableRawPointer]) {
        self.kernelName = kernelName
        self.addresses = addresses
        (elements, keptWeights, origins) = ([:], nil, [:])
    }

    func address(_ role: Plan.Operand.Role) throws -> UnsafeMutableRawPointer {
        guard let address = addresses[role] else {
            throw RunError.kernel("a planned \(kernelName) lacks its \(role.rawValue)")
        }
        return address
    }

    func floats(_ role: Plan.Operand.Role) throws -> UnsafeMutablePointer<Float> {
        try address(role).assumingMemoryBound(to: Float.self)
    }

    /// An operand of a kernel of which several have the same role.
    func element(_ value: Plan.ValueID) throws -> Element {
        guard let element = elements[value] else {
            throw RunError.kernel("a planned \(kernelName) lacks operand \(value)")
        }
        return element
    }
}
