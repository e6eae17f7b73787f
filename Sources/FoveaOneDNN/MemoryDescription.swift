import CKernels
import FoveaGraph
import FoveaPlanner

/// The order of oneDNN's axes in row-major walks of our tensors: images are N,C,H,W there and
/// `[batch, height, width, channels]` here; kernels are O,I,H,W (with groups G,O,I,H,W) there and
/// `[height, width, channels, filters]` here, filters being groups × filters of a group.
enum AxisOrder {
    static let images = [0, 2, 3, 1]
    static let kernel = [2, 3, 1, 0]
    static let groupedKernel = [3, 4, 2, 0, 1]

    static func plain(_ rank: Int) -> [Int] { Array(0..<rank) }
}

extension fovea_dtype {
    init(_ dtype: DType) {
        self =
            switch dtype {
            case .float32: FOVEA_FLOAT32
            case .bfloat16: FOVEA_BFLOAT16
            case .int32: FOVEA_INT32
            case .uint8: FOVEA_UINT8
            case .bool: FOVEA_BOOL
            }
    }
}

extension fovea_memory {
    /// A tensor whose layout the library chooses. `extents` in our order.
    init(any extents: [Int], order: [Int], _ dtype: DType = .float32) {
        self.init()
        rank = Int32(extents.count)
        self.dtype = fovea_dtype(dtype)
        is_any = 1
        for (ours, theirs) in order.enumerated() { set(\.extents, theirs, extents[ours]) }
    }

    /// A tensor in a given layout. `extents`, `strides` and the blocks' axes in our order.
    init(
        _ extents: [Int], strides: [Int], blocks: [PaddedLayout.Block] = [], order: [Int],
        _ dtype: DType = .float32
    ) {
        self.init(any: extents, order: order, dtype)
        is_any = 0
        for (ours, theirs) in order.enumerated() { set(\.strides, theirs, strides[ours]) }
        inner_count = Int32(blocks.count)
        for (place, block) in blocks.enumerated() {
            set(\.inner_blocks, place, block.size)
            set(\.inner_axes, place, order[block.axis])
        }
    }

    /// A tensor in a given layout; nil when its memory cannot be said as blocks of these axes.
    init?(_ shape: Shape, _ layout: Layout, order: [Int]) {
        switch layout {
        case .padded(let padded):
            guard padded.extents == shape.dimensions else { return nil }
            self.init(padded.extents, strides: padded.strides, blocks: padded.blocks, order: order)
        case .dense:
            guard let axes = layout.modes(byAxisOf: shape) else { return nil }
            let outer = shape.rowMajorStrides
            var inner: [(axis: Int, mode: AxisMode)] = []
            var strides: [Int] = []
            for (axis, modes) in axes.enumerated() {
                strides.append(modes.first?.stride ?? outer[axis])
                inner += modes.dropFirst().map { (axis, $0) }
            }
            inner.sort { $0.mode.stride > $1.mode.stride }
            var step = 1
            for block in inner.reversed() {
                guard block.mode.stride == step else { return nil }
                step *= block.mode.extent
            }
            self.init(
                shape.dimensions, strides: strides,
                blocks: inner.map { PaddedLayout.Block(axis: $0.axis, size: $0.mode.extent) }, order: order)
        }
    }

    /// The layout in our terms.
    func layout(order: [Int]) -> Layout {
        let extents = order.map { get(\.extents, $0) }
        let outer = order.map { get(\.strides, $0) }
        let blocks = (0..<Int(inner_count)).map { place in
            let theirs = get(\.inner_axes, place)
            return PaddedLayout.Block(
                axis: order.firstIndex(of: theirs) ?? 0, size: get(\.inner_blocks, place))
        }
        var inner = [[AxisMode]](repeating: [], count: extents.count)
        var step = 1
        for block in blocks.reversed() {
            inner[block.axis].insert(AxisMode(block.size, step), at: 0)
            step *= block.size
        }
        var modes: [AxisMode] = []
        for axis in extents.indices {
            let block = inner[axis].reduce(1) { $0 * $1.extent }
            guard extents[axis] % block == 0 else {
                return .padded(PaddedLayout(extents: extents, strides: outer, blocks: blocks))
            }
            modes += [AxisMode(extents[axis] / block, outer[axis])] + inner[axis]
        }
        return Layout(modes)
    }

    /// The extents in the library's order of axes.
    var extentsList: [Int] { (0..<Int(rank)).map { get(\.extents, $0) } }

    func stride(along axis: Int32) -> Int { get(\.strides, Int(axis)) }

    /// How many neighbours along an axis an inner block has.
    func block(along axis: Int32) -> Int {
        (0..<Int(inner_count)).reduce(1) {
            get(\.inner_axes, $1) == Int(axis) ? $0 * get(\.inner_blocks, $1) : $0
        }
    }

    /// A range along one of the library's axes, and how many bytes behind the whole it begins; nil where it is not one piece of
    /// memory.
    func part(_ axis: Int32, _ first: Int, _ count: Int) -> (memory: fovea_memory, offset: Int)? {
        var (part, offset) = (fovea_memory(), 0)
        let isPiece = withUnsafePointer(to: self) {
            fovea_memory_part($0, axis, Int64(first), Int64(count), &part, &offset)
        }
        return isPiece != 0 ? (part, offset) : nil
    }

    /// Changes an axis's extent and the step of the first axis.
    mutating func resize(_ axis: Int32, to extent: Int, outerStride: Int) {
        set(\.extents, Int(axis), extent)
        set(\.strides, 0, outerStride)
    }

    // C arrays are imported as tuples; these reach an element by its place.
    private typealias Twelve = (
        Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64
    )

    private mutating func set(_ path: WritableKeyPath<fovea_memory, Twelve>, _ place: Int, _ value: Int) {
        withUnsafeMutableBytes(of: &self[keyPath: path]) {
            $0.storeBytes(of: Int64(value), toByteOffset: place * 8, as: Int64.self)
        }
    }

    private func get(_ path: KeyPath<fovea_memory, Twelve>, _ place: Int) -> Int {
        withUnsafeBytes(of: self[keyPath: path]) { Int($0.load(fromByteOffset: place * 8, as: Int64.self)) }
    }
}
