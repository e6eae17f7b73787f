extension Figure {
    /// Draws everything on a canvas of the figure's size. `check()` must have found nothing.
    func draw(on canvas: Canvas) -> Canvas {
        let whole = Box(width: canvas.width, height: canvas.height)
        canvas.fill(whole, theme.background)
        // Narrower around panels that have no axes, as in grids of images.
        let isBare = panels.allSatisfy { !$0.hasAxes }
        let margin = min(isBare ? 6 : 10, canvas.width / 20, canvas.height / 20)
        var room = whole.inset(Sides(left: margin, right: margin, top: margin, bottom: margin))
        if !title.isEmpty {
            let style = TextStyle.figureTitle.limited(to: room.width)
            let size = canvas.size(of: title, style)
            canvas.text(title, x: room.center, y: room.y, anchor: Anchor(.center, .top), style, theme.text)
            room = room.inset(Sides(top: min(size.height + 6, room.height / 2)))
        }
        let grid = Grid(
            room, rowHeights: rowHeights ?? [Double](repeating: 1, count: rows),
            columns: min(columns, panels.count), gap: isBare ? 5 : 12)
        let layouts = panels.enumerated().map { index, panel in
            PanelLayout(panel, in: grid.cell(index), theme, canvas)
        }
        for (index, layout) in layouts.enumerated() {
            let cell = grid.cell(index)
            let axes = layout.axes(
                in: cell.inset(grid.sides(of: index, layouts.map(\.sides)).fitted(into: cell)))
            PanelDrawing(layout: layout, axes: axes, theme: theme, canvas: canvas).draw()
        }
        return canvas
    }
}

/// Cells in rows and columns.
private struct Grid {
    let room: Box
    let columns: Int
    let gap: Double
    /// Where each row begins, and how high it is.
    private let rows: [(y: Double, height: Double)]

    /// - Parameter rowHeights: positive, in comparison with each other.
    init(_ room: Box, rowHeights: [Double], columns: Int, gap: Double) {
        self.room = room
        self.columns = columns
        // A thousand columns leave no room for gaps.
        let count = Double(rowHeights.count)
        self.gap = min(gap, room.width / Double(columns) / 4, room.height / count / 4)
        let unit = (room.height - self.gap * (count - 1)) / rowHeights.reduce(0, +)
        var rows: [(y: Double, height: Double)] = []
        var y = room.y
        for height in rowHeights {
            rows.append((y, height * unit))
            y += height * unit + self.gap
        }
        self.rows = rows
    }

    func cell(_ index: Int) -> Box {
        let (row, column) = index.quotientAndRemainder(dividingBy: columns)
        let width = (room.width - gap * Double(columns - 1)) / Double(columns)
        return Box(
            x: room.x + Double(column) * (width + gap), y: rows[row].y, width: width, height: rows[row].height
        )
    }

    /// What all panels of a row need above and below, and all of a column at the left and right, so that their axes are in line.
    func sides(of index: Int, _ all: [Sides]) -> Sides {
        var sides = Sides()
        for (other, own) in all.enumerated() {
            if other / columns == index / columns {
                sides = sides.union(Sides(top: own.top, bottom: own.bottom))
            }
            if other % columns == index % columns {
                sides = sides.union(Sides(left: own.left, right: own.right))
            }
        }
        return sides
    }
}

extension Sides {
    /// Leaves at least a third of a cell to the axes, over whose edge texts then go.
    fileprivate func fitted(into cell: Box) -> Sides {
        let across = min(1, cell.width * 2 / 3 / max(left + right, 1e-9))
        let down = min(1, cell.height * 2 / 3 / max(top + bottom, 1e-9))
        return Sides(left: left * across, right: right * across, top: top * down, bottom: bottom * down)
    }
}
