/// A rectangle of a drawing, in points from its upper left corner.
struct Box: Hashable {
    var x = 0.0
    var y = 0.0
    var width = 0.0
    var height = 0.0

    var right: Double { x + width }
    var bottom: Double { y + height }
    var middle: Double { y + height / 2 }
    var center: Double { x + width / 2 }

    /// What is left when so much is taken from each side, at least nothing.
    func inset(_ sides: Sides) -> Box {
        Box(
            x: x + sides.left, y: y + sides.top, width: max(0, width - sides.left - sides.right),
            height: max(0, height - sides.top - sides.bottom))
    }

    /// The largest box of this ratio of width to height in the middle.
    func fitted(aspect: Double) -> Box {
        let fitted = min(width, height * aspect)
        return Box(
            x: center - fitted / 2, y: middle - fitted / aspect / 2, width: fitted, height: fitted / aspect)
    }

    func contains(x: Double, y: Double) -> Bool {
        x >= self.x && x <= right && y >= self.y && y <= bottom
    }
}

/// Lengths at the four sides of something.
struct Sides: Hashable {
    var left = 0.0
    var right = 0.0
    var top = 0.0
    var bottom = 0.0

    /// The larger of each.
    func union(_ other: Sides) -> Sides {
        Sides(
            left: max(left, other.left), right: max(right, other.right), top: max(top, other.top),
            bottom: max(bottom, other.bottom))
    }
}
