import FoveaGraph

/// One step of walking a tensor: `extent` elements that lie `stride` apart in memory.
public struct AxisMode: Hashable, Sendable {
    public var extent: Int
    public var stride: Int

    public init(_ extent: Int, _ stride: Int) {
        self.extent = extent
        self.stride = stride
    }
}

/// Where in memory the elements of a tensor are.
public enum Layout: Hashable, Sendable {
    /// Every memory cell holds an element. The modes, outermost first, walk the elements in row-major order of their
    /// indices; they say nothing of the tensor's shape, so a reshaped tensor has the same layout. Row-major memory is one
    /// mode of stride 1; blocks of 16 channels (`nChw16c`) are `images, height, width, channels / 16, 16`, each with its
    /// stride.
    case dense([AxisMode])

    /// Blocks that the extents do not fill: the last ones are completed with zeros.
    case padded(PaddedLayout)

    /// The layout that these modes describe, in the one form that equal layouts share.
    public init(_ modes: [AxisMode]) { self = .dense(modes.coalesced()) }

    public static func rowMajor(_ shape: Shape) -> Layout { Layout([AxisMode(shape.elementCount, 1)]) }

    public func isRowMajor(_ shape: Shape) -> Bool { self == .rowMajor(shape) }

    /// Elements of memory, padding included.
    public func memoryCount(_ shape: Shape) -> Int {
        switch self {
        case .dense: shape.elementCount
        case .padded(let padded): padded.memoryCount
        }
    }

    /// For each axis of a shape the modes that walk it; nil for padded layouts and where a mode straddles two axes.
    public func modes(byAxisOf shape: Shape) -> [[AxisMode]]? {
        guard case .dense(let modes) = self else { return nil }
        return modes.split(at: shape.dimensions)
    }
}

/// Blocked memory with padding, per logical axis in row-major order.
public struct PaddedLayout: Hashable, Sendable {
    public struct Block: Hashable, Sendable {
        public let axis: Int
        public let size: Int

        public init(axis: Int, size: Int) {
            self.axis = axis
            self.size = size
        }
    }

    /// The extents without padding.
    public let extents: [Int]
    /// Strides of whole blocks along each axis.
    public let strides: [Int]
    /// The inner blocks, outermost first.
    public let blocks: [Block]

    public init(extents: [Int], strides: [Int], blocks: [Block]) {
        self.extents = extents
        self.strides = strides
        self.blocks = blocks
    }

    var memoryCount: Int {
        let blockSizes = blockSizes
        return extents.indices.reduce(1) {
            $0 * ((extents[$1] + blockSizes[$1] - 1) / blockSizes[$1]) * blockSizes[$1]
        }
    }

    private var blockSizes: [Int] {
        blocks.reduce(into: [Int](repeating: 1, count: extents.count)) { $0[$1.axis] *= $1.size }
    }

    /// The memory place of every element, in row-major order.
    public func places() -> [Int] {
        let sizes = blockSizes
        var result: [Int] = []
        result.reserveCapacity(extents.reduce(1, *))
        Shape(extents).forEachIndex { index in
            var inner = zip(index, sizes).map { $0 % $1 }
            var place = zip(zip(index, sizes), strides).reduce(0) { $0 + $1.0.0 / $1.0.1 * $1.1 }
            var step = 1
            for block in blocks.reversed() {
                place += inner[block.axis] % block.size * step
                inner[block.axis] /= block.size
                step *= block.size
            }
            result.append(place)
        }
        return result
    }
}

extension [AxisMode] {
    /// The walk with as few modes as possible. Modes of one element go; neighbours that continue each other join.
    func coalesced() -> [AxisMode] {
        var result: [AxisMode] = []
        for mode in self where mode.extent != 1 {
            if let last = result.last, last.stride == mode.extent * mode.stride {
                result[result.count - 1] = AxisMode(last.extent * mode.extent, mode.stride)
            } else {
                result.append(mode)
            }
        }
        return result.isEmpty ? [AxisMode(1, 1)] : result
    }

    /// The walk cut where the axes of the given extents begin; nil when a mode straddles such a place.
    func split(at extents: [Int]) -> [[AxisMode]]? {
        var remaining = self
        var result: [[AxisMode]] = []
        for extent in extents.reversed() {
            var axis: [AxisMode] = []
            var open = extent
            while open > 1 {
                guard let last = remaining.popLast() else { return nil }
                if open % last.extent == 0 {
                    axis.insert(last, at: 0)
                    open /= last.extent
                } else if last.extent % open == 0 {
                    axis.insert(AxisMode(open, last.stride), at: 0)
                    remaining.append(AxisMode(last.extent / open, last.stride * open))
                    open = 1
                } else {
                    return nil
                }
            }
            result.insert(axis, at: 0)
        }
        return result
    }

    var elementCount: Int { reduce(1) { $0 * $1.extent } }
}

/// Several walks over the same elements cut into common modes.
///
/// - Returns: the common extents, outermost first, and each walk's strides over them; nil when extents do not divide each
///   other.
func commonModes(_ walks: [[AxisMode]]) -> (extents: [Int], strides: [[Int]])? {
    var remaining = walks.map { walk in walk.filter { $0.extent != 1 } }
    var extents: [Int] = []
    var strides = [[Int]](repeating: [], count: walks.count)
    while remaining.contains(where: { !$0.isEmpty }) {
        // What every walk can take next from its innermost mode.
        let extent = remaining.reduce(0) { greatestCommonDivisor($0, $1.last?.extent ?? 1) }
        guard extent > 1 else { return nil }
        extents.append(extent)
        for index in remaining.indices {
            let last = remaining[index].removeLast()
            strides[index].append(last.stride)
            if last.extent > extent {
                remaining[index].append(AxisMode(last.extent / extent, last.stride * extent))
            }
        }
    }
    return (extents.reversed(), strides.map { $0.reversed() })
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    b == 0 ? a : greatestCommonDivisor(b, a % b)
}

extension Layout {
    /// For plans: `row-major`, or extents with strides as superscripts would be: `128:7744 121:16 …`.
    public func description(_ shape: Shape) -> String {
        switch self {
        case .dense where isRowMajor(shape): "row-major"
        case .dense(let modes): Self.blockDescription(modes, shape)
        case .padded(let padded):
            "padded " + padded.blocks.map { "\($0.size)×axis\($0.axis)" }.joined(separator: " ")
        }
    }

    /// The axes as letters in memory order, a split axis by its block: `nhwc` in blocks of 16 channels is `aDbc16d`.
    private static func blockDescription(_ modes: [AxisMode], _ shape: Shape) -> String {
        let letters = Array("abcdefghijkl")
        guard shape.rank <= letters.count, let axes = modes.split(at: shape.dimensions) else {
            return modes.map { "\($0.extent):\($0.stride)" }.joined(separator: " ")
        }
        var parts: [(stride: Int, text: String)] = []
        for (axis, modes) in axes.enumerated() {
            for (position, mode) in modes.enumerated() {
                let letter = String(letters[axis])
                let isOuterOfSeveral = position == 0 && modes.count > 1
                let text =
                    isOuterOfSeveral
                    ? letter.uppercased() : position == 0 ? letter : "\(mode.extent)\(letter)"
                parts.append((mode.stride, text))
            }
        }
        return parts.sorted { $0.stride > $1.stride }.map(\.text).joined()
    }
}

extension Layout {
    /// The size of the channel blocks of images: all channels for row-major ones, nil for any other layout.
    package func channelBlock(of shape: Shape) -> Int? {
        if isRowMajor(shape) { return shape.channels }
        guard shape.rank == 4 else { return nil }
        let sizes: [Int] =
            switch self {
            case .padded(let padded): padded.blocks.map(\.size)
            case .dense: modes(byAxisOf: shape)?.last.map { $0.count == 2 ? [$0[1].extent] : [] } ?? []
            }
        guard sizes.count == 1, self == Layout.channelBlocks(sizes[0], shape) else { return nil }
        return sizes[0]
    }

    /// Images as `[batch, channels / block, height, width, block]`, the last block completed with zeros.
    package static func channelBlocks(_ block: Int, _ shape: Shape) -> Layout {
        let (height, width, channels) = (shape[1], shape[2], shape[3])
        let blocks = (channels + block - 1) / block
        let strides = [blocks * height * width * block, width * block, block, height * width * block]
        if channels % block == 0 {
            return Layout([
                AxisMode(shape[0], strides[0]), AxisMode(height, strides[1]), AxisMode(width, strides[2]),
                AxisMode(blocks, strides[3]), AxisMode(block, 1),
            ])
        }
        return .padded(
            PaddedLayout(
                extents: shape.dimensions, strides: strides, blocks: [.init(axis: 3, size: block)]))
    }

    /// The same kind of layout for images of another size.
    func carried(from shape: Shape, to other: Shape) -> Layout {
        guard !isRowMajor(shape), let block = channelBlock(of: shape) else { return .rowMajor(other) }
        return .channelBlocks(block, other)
    }
}
