import FoveaGraph
import FoveaPlanner

/// A kernel of this backend.
protocol OneDNNKernel: PreparedKernel {
    /// The kernel with its operands. Calls of one kernel do not know of each other.
    func call(_ operands: Operands) throws -> any KernelCall
}

/// A call with everything it needs at hand: running it looks nothing up.
protocol KernelCall {
    @Compute func run() throws
}

/// Fills a C array, which Swift sees as a tuple, from the front.
func store<Tuple>(_ numbers: [Int], in tuple: inout Tuple) {
    withUnsafeMutableBytes(of: &tuple) { memory in
        for (place, number) in numbers.enumerated() {
            memory.storeBytes(of: Int64(number), toByteOffset: place * 8, as: Int64.self)
        }
    }
}
