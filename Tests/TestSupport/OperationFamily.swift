import FoveaGraph

/// A label for each kind of operation, for testing that the cases leave none out: the switch below does not compile
/// when an operation has no label, and a label that no case reaches is found through `allCases`.
public enum OperationFamily: String, CaseIterable, Sendable {
    case input, constant, variable, isTraining, randomKey, elementCount
    case unary, binary, comparison, select, cast
    case reduction, argMax
    case reshape, transpose, broadcast, slice, pad, concatenate
    case oneHot, gather, scatterAdd
    case matmul
    case convolution, convolutionInputGradient, convolutionKernelGradient
    case maxPool, maxPoolGradient, averagePool, averagePoolGradient
    case softmax, batchNorm, batchNormGradient, random
    case attachment

    public init(_ operation: Operation) {
        self =
            switch operation {
            case .source(.input): .input
            case .source(.constant): .constant
            case .source(.variable): .variable
            case .source(.isTraining): .isTraining
            case .source(.randomKey): .randomKey
            case .source(.elementCount): .elementCount
            case .unary: .unary
            case .binary: .binary
            case .comparison: .comparison
            case .select: .select
            case .cast: .cast
            case .reduction: .reduction
            case .argMax: .argMax
            case .reshape: .reshape
            case .transpose: .transpose
            case .broadcast: .broadcast
            case .slice: .slice
            case .pad: .pad
            case .concatenate: .concatenate
            case .oneHot: .oneHot
            case .gather: .gather
            case .scatterAdd: .scatterAdd
            case .matmul: .matmul
            case .convolution: .convolution
            case .convolutionInputGradient: .convolutionInputGradient
            case .convolutionKernelGradient: .convolutionKernelGradient
            case .maxPool: .maxPool
            case .maxPoolGradient: .maxPoolGradient
            case .averagePool: .averagePool
            case .averagePoolGradient: .averagePoolGradient
            case .softmax: .softmax
            case .batchNorm: .batchNorm
            case .batchNormGradient: .batchNormGradient
            case .random: .random
            case .attachment: .attachment
            }
    }
}
