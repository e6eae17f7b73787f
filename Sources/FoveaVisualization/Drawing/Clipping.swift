/// The pieces of a line that are inside a box or near it: the drawing library cannot draw what is far away.
///
/// Each segment is cut by Liang and Barsky's rule (1984, "A new concept and method for line clipping"): the shares of it at which it
/// enters and leaves the half-planes of the four sides.
func clipped(_ line: [(x: Double, y: Double)], to box: Box) -> [[(x: Double, y: Double)]] {
    let margin = 20.0
    let near = Box(
        x: box.x - margin, y: box.y - margin, width: box.width + 2 * margin, height: box.height + 2 * margin)
    // The usual case.
    if line.allSatisfy({ near.contains(x: $0.x, y: $0.y) }) { return [line] }
    var pieces: [[(x: Double, y: Double)]] = []
    var isOpen = false
    for (from, to) in zip(line, line.dropFirst()) {
        guard let (start, end) = shares(from, to, in: near) else {
            isOpen = false
            continue
        }
        func point(_ share: Double) -> (x: Double, y: Double) {
            (from.x + share * (to.x - from.x), from.y + share * (to.y - from.y))
        }
        if !isOpen || start > 0 { pieces.append([point(start)]) }
        pieces[pieces.count - 1].append(point(end))
        isOpen = end == 1
    }
    return pieces
}

/// The part of a segment that is in a box, as shares of its length; nil when none is.
private func shares(
    _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), in box: Box
) -> (Double, Double)? {
    var (start, end) = (0.0, 1.0)
    let (dx, dy) = (to.x - from.x, to.y - from.y)
    let sides = [
        (-dx, from.x - box.x), (dx, box.right - from.x), (-dy, from.y - box.y), (dy, box.bottom - from.y),
    ]
    for (direction, distance) in sides {
        if direction == 0 {
            if distance < 0 { return nil }
            continue
        }
        let share = distance / direction
        if direction < 0 { start = max(start, share) } else { end = min(end, share) }
        if start > end { return nil }
    }
    return (start, end)
}
