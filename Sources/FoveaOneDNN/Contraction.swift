import FoveaGraph
import FoveaPlanner

/// Sums of products to be computed: what there are several algorithms for.
enum ContractionRequest: Hashable {
    case convolution(ConvolutionRequest)
    case matmul(MatMulRequest)
}

/// A kernel that computes a contraction.
enum ContractionChoice {
    case convolution(ConvolutionChoice)
    case matmul(MatMulChoice)

    /// What a planned call computes; nil for other kernels.
    init?(_ kernel: Kernel) {
        switch kernel {
        case .convolution(let choice): self = .convolution(choice)
        case .matmul(let choice): self = .matmul(choice)
        default: return nil
        }
    }

    var request: ContractionRequest {
        switch self {
        case .convolution(let choice): .convolution(choice.request)
        case .matmul(let choice): .matmul(choice.request)
        }
    }

    var algorithm: Algorithm {
        switch self {
        case .convolution(let choice): choice.algorithm
        case .matmul(let choice): choice.algorithm
        }
    }

    struct Operand: Hashable, Comparable {
        let role: Plan.Operand.Role
        let isWritten: Bool

        static func < (a: Self, b: Self) -> Bool {
            (a.isWritten ? 1 : 0, a.role.rawValue) < (b.isWritten ? 1 : 0, b.role.rawValue)
        }
    }

    /// Bytes of memory for each operand.
    var operandBytes: [Operand: Int] {
        let results: Set<Plan.Operand.Role>
        let counts: [Plan.Operand.Role: Int]
        let scratchpadBytes: Int
        var packedWeightsBytes = 0
        switch self {
        case .convolution(let choice):
            let request = choice.request
            results =
                switch request.direction {
                case .forward: [.destination]
                case .inputGradient: [.source]
                case .kernelGradient: [.weights, .bias]
                }
            counts = [
                .source: choice.images.memoryCount(request.images),
                .weights: choice.kernel.memoryCount(request.kernel), .bias: request.kernel[3],
                .destination: choice.output.memoryCount(request.output),
            ]
            scratchpadBytes = choice.scratchpadBytes
            packedWeightsBytes = choice.packedKernelBytes
        case .matmul(let choice):
            let request = choice.request
            func span(_ matrix: MatMulRequest.Matrix, _ rows: Int, _ columns: Int) -> Int {
                (request.batch - 1) * matrix.batchStride + (rows - 1) * matrix.rowStride
                    + (columns - 1) * matrix.columnStride + 1
            }
            results = [.destination]
            counts = [
                .source: span(request.a, request.rows, request.inner),
                .weights: span(request.b, request.inner, request.columns), .bias: request.columns,
                .destination: span(request.c, request.rows, request.columns),
            ]
            scratchpadBytes = choice.scratchpadBytes
        }
        var bytes = [
            Operand(role: .scratchpad, isWritten: true): scratchpadBytes,
            Operand(role: .packedWeights, isWritten: true): packedWeightsBytes,
        ]
        for (role, count) in counts {
            bytes[Operand(role: role, isWritten: results.contains(role))] = count * DType.float32.byteCount
        }
        return bytes
    }

    func call(_ operands: Operands, threads: Int) throws -> any KernelCall {
        switch self {
        case .convolution(let choice): try operands.call(choice, threads: threads)
        case .matmul(let choice): try operands.call(choice, threads: threads)
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
                + (request.hasReLU ? ", relu" : "")
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
