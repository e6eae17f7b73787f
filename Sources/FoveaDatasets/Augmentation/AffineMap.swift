import Foundation

/// Where in an image the pixels of another are looked up: pixel (row, column) of the result shows the place
/// `(rowToRow · row + columnToRow · column + rowOffset, rowToColumn · row + columnToColumn · column + columnOffset)`.
///
/// Places are counted from the centre of the first pixel.
public struct AffineMap: Hashable, Sendable {
    public var rowToRow = 1.0
    public var columnToRow = 0.0
    public var rowOffset = 0.0
    public var rowToColumn = 0.0
    public var columnToColumn = 1.0
    public var columnOffset = 0.0

    /// The map that changes nothing.
    public static let identity = AffineMap()

    public init() {}

    /// The place that a pixel of the result shows.
    public func place(row: Double, column: Double) -> (row: Double, column: Double) {
        (
            rowToRow * row + columnToRow * column + rowOffset,
            rowToColumn * row + columnToColumn * column + columnOffset
        )
    }

    /// The map that looks up in the image what `self` finds for the place that `first` finds.
    public func after(_ first: AffineMap) -> AffineMap {
        var map = AffineMap()
        map.rowToRow = rowToRow * first.rowToRow + columnToRow * first.rowToColumn
        map.columnToRow = rowToRow * first.columnToRow + columnToRow * first.columnToColumn
        map.rowToColumn = rowToColumn * first.rowToRow + columnToColumn * first.rowToColumn
        map.columnToColumn = rowToColumn * first.columnToRow + columnToColumn * first.columnToColumn
        (map.rowOffset, map.columnOffset) = place(row: first.rowOffset, column: first.columnOffset)
        return map
    }

    /// Keras's combination of rotation, shift, shear and zoom around a centre. With `x` and `y` the distances from
    /// the centre along columns and rows, and angles `θ` and `s`, the pixel at `(x, y, 1)` shows the place
    ///
    /// ```text
    ///  cos θ  -sin θ  0     1  0  columnShift     1  -sin s  0     columnZoom     0     0     x
    ///  sin θ   cos θ  0  ·  0  1   rowShift    ·  0   cos s  0  ·       0      rowZoom  0  ·  y
    ///    0       0    1     0  0       1          0     0    1          0         0     1     1
    /// ```
    ///
    /// - Parameters:
    ///   - rotation: `θ` in degrees. A positive angle turns the image counterclockwise.
    ///   - rowShift: in pixels. A positive number moves the image up.
    ///   - columnShift: in pixels. A positive number moves the image to the left.
    ///   - shear: `s` in degrees.
    ///   - rowZoom: distance of neighbouring pixels of the result; more than 1 makes the image lower.
    ///   - columnZoom: the same along columns.
    ///   - center: the place that rotation, shear and zoom leave where it is, `((height - 1) / 2, (width - 1) / 2)` for
    ///     the middle of an image.
    public init(
        rotation: Double = 0, rowShift: Double = 0, columnShift: Double = 0, shear: Double = 0,
        rowZoom: Double = 1, columnZoom: Double = 1, center: (row: Double, column: Double)
    ) {
        let (sine, cosine) = sineAndCosine(degrees: rotation)
        let (shearSine, shearCosine) = sineAndCosine(degrees: shear)
        columnToColumn = cosine * columnZoom
        rowToColumn = (-cosine * shearSine - sine * shearCosine) * rowZoom
        columnToRow = sine * columnZoom
        rowToRow = (-sine * shearSine + cosine * shearCosine) * rowZoom
        columnOffset =
            center.column + cosine * columnShift - sine * rowShift
            - columnToColumn * center.column - rowToColumn * center.row
        rowOffset =
            center.row + sine * columnShift + cosine * rowShift
            - columnToRow * center.column - rowToRow * center.row
    }

    /// Left and right, or above and below, exchanged in an image of the given size.
    init(flipsHorizontally: Bool, flipsVertically: Bool, height: Int, width: Int) {
        if flipsHorizontally { (columnToColumn, columnOffset) = (-1, Double(width - 1)) }
        if flipsVertically { (rowToRow, rowOffset) = (-1, Double(height - 1)) }
    }

    /// A region made as large as a result of the given size; what borders on the region's edge borders on the result's.
    init(region: Augmentation.Region, height: Int, width: Int) {
        rowToRow = Double(region.height) / Double(height)
        rowOffset = Double(region.top) + 0.5 * rowToRow - 0.5
        columnToColumn = Double(region.width) / Double(width)
        columnOffset = Double(region.left) + 0.5 * columnToColumn - 0.5
    }
}

/// Exact for multiples of 90°, so that quarter turns move pixels to places of pixels.
private func sineAndCosine(degrees: Double) -> (Double, Double) {
    switch degrees.remainder(dividingBy: 360) {
    case 0: (0, 1)
    case 90: (1, 0)
    case -90: (-1, 0)
    case 180, -180: (0, -1)
    case let angle: (sin(angle * .pi / 180), cos(angle * .pi / 180))
    }
}
