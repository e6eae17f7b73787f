import CKernels
import FoveaGraph
import FoveaPlanner

/// How a convolution of the library's, or one of its gradients, is cut into parts.
///
/// Batches are cut into groups of images, and single images by filters. A kernel's gradient is a sum over images: groups of these
/// have sums of their own, which are added up, or where the kernel is large beside the images, it is cut by filters.
struct ConvolutionParts {
    private let request: ConvolutionRequest
    private let fusesReLU: Bool
    private let whole: Primitive
    private let threads: Int
    private let nanoseconds: Double

    /// - Parameter whole: the primitive in one part, whose layouts hold for the parts, too.
    init(of request: ConvolutionRequest, fusesReLU: Bool = false, like whole: Primitive, threads: Int) {
        (self.request, self.fusesReLU, self.whole, self.threads) = (request, fusesReLU, whole, threads)
        let moved = 4 * (request.images.elementCount + request.output.elementCount)
        nanoseconds = Double(request.operationCount ?? 0) / 250 + Double(moved) * 0.015
    }

    /// The library's axes.
    private enum Axis {
        static let batch: Int32 = 0
        static let channels: Int32 = 1
        static let filters: Int32 = 0
    }

    /// A range of an operand along one of the library's axes.
    private struct Range {
        let argument: fovea_argument
        let role: Plan.Operand.Role
        let axis: Int32
        let first: Int
        let count: Int

        init(
            _ argument: fovea_argument, _ role: Plan.Operand.Role, _ axis: Int32, _ first: Int, _ count: Int
        ) {
            (self.argument, self.role, self.axis) = (argument, role, axis)
            (self.first, self.count) = (first, count)
        }
    }

    func primitive() throws -> PartedPrimitive {
        let wanted = PartedPrimitive.count(nanoseconds: nanoseconds)
        let parts: [PartedPrimitive.Part]? =
            switch request.direction {
            case _ where wanted < 2: nil
            case .forward:
                request.images[0] < Self.fewImages
                    ? try byImagesAndFilters(wanted) : try byImages(min(wanted, mostPassesOverKernel))
            case .inputGradient: try byImages(min(wanted, mostPassesOverKernel))
            case .kernelGradient: try partsOfKernelGradient(wanted)
            }
        guard let parts, parts.count > 1 else { return PartedPrimitive(whole: whole) }
        return PartedPrimitive(parts, sums: sums(of: parts), nanoseconds: nanoseconds, threads: threads)
    }

    /// More give parts enough by themselves.
    private static let fewImages = 8

    /// Each part reads the whole kernel.
    private var mostPassesOverKernel: Int {
        let passes = Int(0.1 * nanoseconds / (0.07 * Double(request.kernel.elementCount)))
        return max(2, PartedPrimitive.powerOfTwo(upTo: passes))
    }

    // MARK: - Parts of a batch

    private func byImages(_ wanted: Int) throws -> [PartedPrimitive.Part]? {
        let batch = request.images[0]
        // The library's kernels for one image alone are slower in places.
        let most = PartedPrimitive.powerOfTwo(upTo: batch < 4 ? batch : batch / 2)
        guard batch > 1, wanted > 1 else { return nil }
        return try parts(
            PartedPrimitive.Part.ranges(batch, step: 1, wanted: min(wanted, most)).map { first, count in
                [
                    Range(FOVEA_ARG_SOURCE, .source, Axis.batch, first, count),
                    Range(FOVEA_ARG_DESTINATION, .destination, Axis.batch, first, count),
                ]
            })
    }

    /// Ranges of filters, as many as are wanted where there are blocks enough; in groups each has its own channels.
    private func filterRanges(_ wanted: Int) -> [(first: Int, count: Int)]? {
        let (rule, filters) = (request.convolution, request.kernel[3])
        guard wanted > 1, rule.groups == 1 || rule.groups == filters && request.images.channels == filters,
            let weights = whole.memory(FOVEA_ARG_WEIGHTS), let output = whole.memory(FOVEA_ARG_DESTINATION)
        else { return nil }
        let block = max(weights.block(along: Axis.filters), output.block(along: Axis.channels))
        // Fewer filters would leave registers unused.
        let least = rule.groups == 1 ? 32 : 16
        let most = max(filters / least, request.images[0] == 1 ? min(2, (filters + block - 1) / block) : 1)
        let count = PartedPrimitive.powerOfTwo(upTo: min(wanted, most))
        return count > 1 ? PartedPrimitive.Part.ranges(filters, step: block, wanted: count) : nil
    }

    private func byImagesAndFilters(_ wanted: Int) throws -> [PartedPrimitive.Part]? {
        let batch = request.images[0]
        guard let filters = filterRanges((wanted + batch - 1) / batch) else { return try byImages(wanted) }
        let hasGroups = request.convolution.groups > 1
        return try parts(
            (0..<batch).flatMap { image in
                filters.map { first, count in
                    [
                        Range(FOVEA_ARG_SOURCE, .source, Axis.batch, image, 1),
                        Range(FOVEA_ARG_DESTINATION, .destination, Axis.batch, image, 1),
                        Range(FOVEA_ARG_DESTINATION, .destination, Axis.channels, first, count),
                        Range(FOVEA_ARG_WEIGHTS, .weights, Axis.filters, first, count),
                    ] + (request.hasBias ? [Range(FOVEA_ARG_BIAS, .bias, Axis.filters, first, count)] : [])
                        + (hasGroups ? [Range(FOVEA_ARG_SOURCE, .source, Axis.channels, first, count)] : [])
                }
            }) ?? byImages(wanted)
    }

    // MARK: - Kernel gradients

    private func partsOfKernelGradient(_ wanted: Int) throws -> [PartedPrimitive.Part]? {
        // Adding up takes memory and time: that of so many pixels for each part.
        let pixelsPerSum = 2500
        let pixels = request.output[0] * request.output[1] * request.output[2]
        let sums = min(wanted, PartedPrimitive.powerOfTwo(upTo: pixels / pixelsPerSum))
        if sums < 2, let parts = try gradientsByFilters(wanted) { return parts }
        return try byImages(max(sums, 2))
    }

    /// A range of filters' channels of all images is copied together.
    private func gradientsByFilters(_ wanted: Int) throws -> [PartedPrimitive.Part]? {
        guard request.convolution.groups == 1, let filters = filterRanges(wanted),
            let output = whole.memory(FOVEA_ARG_DESTINATION)
        else { return nil }
        let (images, blockBytes) = (request.output[0], output.stride(along: Axis.channels) * 4)
        let (imageBytes, block) = (output.stride(along: Axis.batch) * 4, output.block(along: Axis.channels))
        guard blockBytes < imageBytes || images == 1 else { return nil }
        return try filters.reduce([] as [PartedPrimitive.Part]?) { parts, range in
            guard let parts, var spec = spec() else { return nil }
            var part = PartedPrimitive.Part(primitive: whole)
            let weights = Range(FOVEA_ARG_WEIGHTS, .weights, Axis.filters, range.first, range.count)
            guard take(weights, &spec, &part) else { return nil }
            let bias = Range(FOVEA_ARG_BIAS, .bias, Axis.filters, range.first, range.count)
            guard !request.hasBias || take(bias, &spec, &part) else { return nil }
            part.offsets[.destination] = range.first / block * blockBytes
            let blocks = (range.count + block - 1) / block
            part.copied = PartedPrimitive.CopiedRows(
                role: .destination, count: images, byteCount: blocks * blockBytes, byteStride: imageBytes)
            spec.destination.resize(Axis.channels, to: range.count, outerStride: blocks * blockBytes / 4)
            guard let part = try made(part, spec, parts) else { return nil }
            return parts + [part]
        }
    }

    private func sums(of parts: [PartedPrimitive.Part]) -> [(role: Plan.Operand.Role, count: Int)] {
        guard request.direction == .kernelGradient, parts[0].copied == nil else { return [] }
        let weights = whole.byteCount(FOVEA_ARG_WEIGHTS) / MemoryLayout<Float>.size
        return [(.weights, weights)] + (request.hasBias ? [(.bias, request.kernel[3])] : [])
    }

    // MARK: - Making primitives

    /// The whole operation's terms, with its layouts.
    private func spec() -> fovea_convolution? {
        var spec = fovea_convolution(request, fusesReLU: fusesReLU)
        guard let source = whole.memory(FOVEA_ARG_SOURCE), let weights = whole.memory(FOVEA_ARG_WEIGHTS),
            let destination = whole.memory(FOVEA_ARG_DESTINATION)
        else { return nil }
        (spec.source, spec.weights, spec.destination) = (source, weights, destination)
        return spec
    }

    /// Parts of the given ranges; nil where one of them is not a piece of memory, or other kernels would compute it.
    private func parts(_ ranges: [[Range]]) throws -> [PartedPrimitive.Part]? {
        try ranges.reduce([] as [PartedPrimitive.Part]?) { parts, ranges in
            guard let parts, var spec = spec() else { return nil }
            var part = PartedPrimitive.Part(primitive: whole)
            guard ranges.allSatisfy({ take($0, &spec, &part) }) else { return nil }
            guard let part = try made(part, spec, parts) else { return nil }
            return parts + [part]
        }
    }

    private func take(_ range: Range, _ spec: inout fovea_convolution, _ part: inout PartedPrimitive.Part)
        -> Bool
    {
        let path: WritableKeyPath<fovea_convolution, fovea_memory> =
            switch range.argument {
            case FOVEA_ARG_SOURCE: \.source
            case FOVEA_ARG_WEIGHTS: \.weights
            case FOVEA_ARG_BIAS: \.bias
            default: \.destination
            }
        guard let (memory, offset) = spec[keyPath: path].part(range.axis, range.first, range.count) else {
            return false
        }
        spec[keyPath: path] = memory
        part.offsets[range.role, default: 0] += offset
        return true
    }

    /// The part with its primitive, that of another part of the same size if there is one; nil where the library would compute it
    /// in another way than the whole.
    private func made(
        _ part: PartedPrimitive.Part, _ spec: fovea_convolution, _ others: [PartedPrimitive.Part]
    ) throws -> PartedPrimitive.Part? {
        var (part, spec) = (part, spec)
        if let other = others.first(where: { $0.primitive.computes(spec) }) {
            part.primitive = other.primitive
            return part
        }
        guard let primitive = try? Primitive(fovea_convolution_create(&spec)),
            primitive.implementation == whole.implementation
        else { return nil }
        part.primitive = primitive
        return part
    }
}

extension Primitive {
    /// Whether its operands have the extents of the given ones.
    fileprivate func computes(_ spec: fovea_convolution) -> Bool {
        [
            (FOVEA_ARG_SOURCE, spec.source), (FOVEA_ARG_WEIGHTS, spec.weights),
            (FOVEA_ARG_DESTINATION, spec.destination),
        ]
        .allSatisfy { argument, wanted in
            memory(argument).map { $0.extentsList == wanted.extentsList } ?? false
        }
    }
}
