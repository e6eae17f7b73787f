/// The known name that a mistyped one most likely stands for, or nil when none is close.
///
/// Close means that at most a third of the letters (at least one) must be inserted, removed, replaced or
/// swapped with a neighbour; capitals and small letters are alike. Of equally close names the first is returned.
public func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
    // Nobody types longer ones; comparing those that a file has would take time without end.
    let lengthLimit = 200
    guard name.utf8.count <= lengthLimit else { return nil }
    let typed = Array(name.lowercased())
    var nearest: (name: String, distance: Int)?
    for candidate in candidates where candidate.utf8.count <= lengthLimit {
        let known = Array(candidate.lowercased())
        let longer = max(typed.count, known.count)
        let allowed = min(max(1, longer / 3), longer - 1)
        guard abs(typed.count - known.count) <= allowed else { continue }
        let distance = editDistance(typed, known)
        if distance <= allowed, distance < nearest?.distance ?? .max { nearest = (candidate, distance) }
    }
    return nearest?.name
}

/// What to say about a name that is none of those known: `did you mean 'relu'?` where one is close, else
/// `known are relu, tanh`.
///
/// - Parameters:
///   - name: what was asked for; it may come from a file.
///   - known: what could have been asked for.
///   - heading: what stands before the list where no name is close.
///   - limit: how many names are listed.
package func adviceOnName(
    _ name: String, among known: some Collection<String>, heading: String = "known are", limit: Int = .max
) -> String {
    if let nearest = nearestName(to: name, among: known) { return "did you mean '\(nearest)'?" }
    return "\(heading) " + (known.isEmpty ? "none" : known.prefix(limit).joined(separator: ", "))
}

/// The Damerau–Levenshtein distance in its common form, where no stretch is edited twice (optimal string
/// alignment): insertions, removals, replacements and swaps of neighbours each cost 1.
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var beforeLast = [Int]()
    var last = Array(0...b.count)
    for i in 0..<a.count {
        var row = [i + 1]
        for j in 0..<b.count {
            var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
            row.append(cost)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
