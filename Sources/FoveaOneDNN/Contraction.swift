import FoveaGraph
import FoveaPlanner

/// Sums of products to be computed: what there are several algorithms for.
enum ContractionRequest: Hashable {
    case convolution(ConvolutionRequest)
    case matmul(MatMulRequest)
}

/// A kernel that computes a contraction.
protocol ContractionKernel: OneDNNKernel {
    var contraction: ContractionRequest { get }
    var algorithm: Algorithm { get }
    /// Bytes of memory for each operand.
    var operandBytes: [ContractionOperand: Int] { get }
}

struct ContractionOperand: Hashable, Comparable {
    let role: Plan.Operand.Role
    let isWritten: Bool

    static func < (a: Self, b: Self) -> Bool {
        (a.isWritten ? 1 : 0, a.role.rawValue) < (b.isWritten ? 1 : 0, b.role.rawValue)
    }
}

extension ContractionKernel {
    /// The bytes of operands that consist of so many float32 numbers, and of the memory to work in.
    func operandBytes(
        _ counts: [Plan.Operand.Role: Int], results: Set<Plan.Operand.Role>, packedWeights: Int = 0
    ) -> [ContractionOperand: Int] {
        var bytes = [
            ContractionOperand(role: .scratchpad, isWritten: true): scratchpadBytes,
            ContractionOperand(role: .packedWeights, isWritten: true): packedWeights,
        ]
        for (role, count) in counts {
            bytes[ContractionOperand(role: role, isWritten: results.contains(role))] =
                count * DType.float32.byteCount
        }
        return bytes
    }
}

/// How sums of products are computed.
enum Algorithm: Hashable, Sendable, CustomStringConvertible {
    /// As they are defined, in float32.
    case direct
    /// Winograd's F(4×4, 3×3) or F(2×2, 5×5), in float32 (Lavin and Gray 2016, arXiv:1509.09308).
    case winograd
    /// Each number as the sum of one, two or three bfloat16 numbers, whose products are summed in float32: errors of about
    /// 2⁻⁸, 2⁻¹⁶ and 2⁻²⁴ of each product.
    case bfloat16(terms: Int)

    var description: String {
        switch self {
        case .direct: "direct"
        // Not the name that times of oneDNN's kernel for it were kept under.
        case .winograd: "winograd tiles"
        case .bfloat16(let terms): "bfloat16×\(terms)"
        }
    }
}

extension ContractionRequest: CustomStringConvertible {
    /// Everything that distinguishes the request from others.
    var description: String {
        switch self {
        case .convolution(let request):
            let (rule, padding) = (request.convolution, request.convolution.padding)
            let isKernelGradient = request.direction == .kernelGradient
            return "\(request.direction.rawValue): images \(request.images), kernel \(request.kernel), "
                + "output \(request.output), strides \(rule.strides), dilations \(rule.dilations), "
                + "padding \(padding.top) \(padding.bottom) \(padding.left) \(padding.right), groups \(rule.groups)"
                + (request.hasBias ? isKernelGradient ? ", bias gradient" : ", bias" : "")
                + (request.hasReLU ? ", relu" : "") + (request.ceiling.map { ", ceiling \($0)" } ?? "")
                + (request.pooling.map { ", pooled to \($0.output)" } ?? "")
        case .matmul(let request):
            func steps(_ matrix: MatMulRequest.Matrix) -> String {
                "\(matrix.batchStride) \(matrix.rowStride) \(matrix.columnStride)"
            }
            return "matmul: batch \(request.batch), \(request.rows)×\(request.inner) by "
                + "\(request.inner)×\(request.columns), steps \(steps(request.a)), \(steps(request.b)), "
                + steps(request.c) + (request.hasBias ? ", bias" : "") + (request.hasReLU ? ", relu" : "")
        }
    }
}
