import FoveaGraph
import Testing

@testable import FoveaPlanner

@Suite struct LayoutTests {
    /// The memory place of every element, in row-major order.
    static func places(_ layout: Layout) -> [Int] {
        switch layout {
        case .padded(let padded): padded.places()
        case .dense(let modes):
            modes.reduce([0]) { starts, mode in
                starts.flatMap { start in (0..<mode.extent).map { start + $0 * mode.stride } }
            }
        }
    }

    @Test func equalWalksHaveOneForm() {
        #expect(Layout([AxisMode(2, 12), AxisMode(3, 4), AxisMode(4, 1)]) == .rowMajor([24]))
        #expect(Layout([AxisMode(1, 7), AxisMode(24, 1), AxisMode(1, 0)]) == .rowMajor([2, 3, 4]))
        #expect(Layout([AxisMode(2, 1), AxisMode(3, 2)]) != .rowMajor([2, 3]))
        #expect(Layout([AxisMode(1, 99)]) == .rowMajor(.scalar))
        #expect(
            [AxisMode(2, 24), AxisMode(3, 8), AxisMode(2, 1), AxisMode(2, 2)].coalesced()
                == [AxisMode(6, 8), AxisMode(2, 1), AxisMode(2, 2)])
        // A mode repeated with stride 0 goes on with another such mode only.
        #expect(
            [AxisMode(2, 0), AxisMode(3, 0), AxisMode(4, 1)].coalesced() == [AxisMode(6, 0), AxisMode(4, 1)])
    }

    @Test func splitCutsWhereAxesBegin() {
        #expect(
            [AxisMode(24, 1)].split(at: [2, 3, 4]) == [[AxisMode(2, 12)], [AxisMode(3, 4)], [AxisMode(4, 1)]])
        #expect(
            [AxisMode(2, 3), AxisMode(6, 10)].split(at: [4, 1, 3])
                == [[AxisMode(2, 3), AxisMode(2, 30)], [], [AxisMode(3, 10)]])
        #expect([AxisMode(3, 2), AxisMode(2, 1)].split(at: [2, 3]) == nil)
        #expect([AxisMode(4, 1)].split(at: [8]) == nil)
    }

    @Test func commonModesCutEveryWalk() throws {
        let common = try #require(
            commonModes([
                [AxisMode(24, 1)], [AxisMode(4, 6), AxisMode(6, 1)], [AxisMode(2, 0), AxisMode(12, 3)],
            ]))
        #expect(common.extents == [2, 2, 6])
        #expect(common.strides == [[12, 6, 1], [12, 6, 1], [0, 18, 3]])
        #expect(commonModes([[AxisMode(3, 5), AxisMode(5, 1)], [AxisMode(5, 3), AxisMode(3, 1)]]) == nil)
        let scalars = try #require(commonModes([[AxisMode(1, 1)], []]))
        #expect(scalars.extents.isEmpty && scalars.strides == [[], []])
    }

    @Test(arguments: [[2, 3, 5, 16], [1, 4, 4, 48], [2, 3, 5, 20], [3, 2, 2, 3]] as [Shape], [4, 16])
    func channelBlocksPlaceEveryElementOnce(shape: Shape, block: Int) {
        let layout = Layout.channelBlocks(block, shape)
        let blocks = (shape.channels + block - 1) / block
        #expect(layout.memoryCount(shape) == shape[0] * shape[1] * shape[2] * blocks * block)
        var expected: [Int] = []
        shape.forEachIndex { i in
            let (n, y, x, c) = (i[0], i[1], i[2], i[3])
            expected.append(
                (((n * blocks + c / block) * shape[1] + y) * shape[2] + x) * block + c % block)
        }
        #expect(Self.places(layout) == expected)
        if case .padded = layout { #expect(!shape.channels.isMultiple(of: block)) }
    }

    @Test func channelBlocksAreRecognised() {
        let shape: Shape = [2, 3, 5, 48]
        for block in [4, 16] { #expect(Layout.channelBlocks(block, shape).channelBlock(of: shape) == block) }
        #expect(Layout.channelBlocks(16, [2, 3, 5, 20]).channelBlock(of: [2, 3, 5, 20]) == 16)
        #expect(Layout.rowMajor(shape).channelBlock(of: shape) == 48)
        #expect(Layout.channelBlocks(16, shape).channelBlock(of: [3, 2, 5, 48]) == nil)
        #expect(Layout([AxisMode(2, 1), AxisMode(720, 2)]).channelBlock(of: shape) == nil)
    }

    /// One block of all channels is row-major order.
    @Test func aSingleBlockIsRowMajor() {
        #expect(Layout.channelBlocks(16, [2, 7, 5, 16]) == .rowMajor([2, 7, 5, 16]))
        #expect(Layout.channelBlocks(8, [2, 7, 5, 16]) != .rowMajor([2, 7, 5, 16]))
        #expect(Layout.channelBlocks(8, [2, 1, 1, 16]) == .rowMajor([2, 1, 1, 16]))
    }

    @Test func layoutsAreCarriedToOtherSizes() {
        let (large, small): (Shape, Shape) = ([2, 6, 8, 20], [2, 3, 4, 20])
        #expect(Layout.channelBlocks(16, large).carried(from: large, to: small) == .channelBlocks(16, small))
        #expect(Layout.rowMajor(large).carried(from: large, to: small) == .rowMajor(small))
    }

    /// Two axes blocked at once, one of them twice, as convolution kernels are.
    @Test func paddedPlacesOfNestedBlocks() {
        let layout = PaddedLayout(
            extents: [3, 5], strides: [16, 16],
            blocks: [.init(axis: 0, size: 2), .init(axis: 1, size: 4), .init(axis: 0, size: 2)])
        #expect(layout.memoryCount == 4 * 8)
        let places = layout.places()
        // Row 2, column 1: outer block of rows 1, column 1 of its block, inner row 0.
        #expect(places[2 * 5 + 1] == 8 + 1 * 2)
        #expect(places[1 * 5 + 4] == 16 + 0 + 1)
        #expect(Set(places).count == 15)
        #expect(Layout.padded(layout).modes(byAxisOf: [3, 5]) == nil)
    }

    @Test func descriptionsTellLayoutsApart() {
        let shape: Shape = [2, 3, 5, 48]
        #expect(Layout.rowMajor(shape).description(shape) == "row-major")
        #expect(Layout.channelBlocks(16, shape).description(shape) == "aDbc16d")
        #expect(Layout.channelBlocks(16, [2, 3, 5, 20]).description([2, 3, 5, 20]) == "padded 16×axis3")
        #expect(Layout([AxisMode(3, 1), AxisMode(2, 3)]).description([2, 3]) == "3:1 2:3")
        let deep = Shape([Int](repeating: 2, count: 14))
        let reversed = Layout((0..<14).map { AxisMode(2, 1 << $0) })
        #expect(reversed.description(deep).hasPrefix("2:1 2:2 2:4"))
    }
}
