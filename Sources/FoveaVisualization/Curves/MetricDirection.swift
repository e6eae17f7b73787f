import FoveaTraining

/// Whether smaller numbers of that name are better: of losses, errors and counts of mistakes. Of a name that nothing is known of,
/// larger ones are.
func isSmallerBetter(_ name: String) -> Bool {
    func isMeant(_ known: String) -> Bool {
        name == known || name.hasPrefix(known + "_") || name.hasSuffix("_" + known)
    }
    if isMeant("loss") { return true }
    // The longest name says most: `cosine_similarity` is a loss and a metric.
    let metrics = builtInMetrics.map { ($0.name, !$0.init().isLargerBetter) }
    let losses = builtInLosses.map { ($0.name, true) }
    return (metrics + losses).filter { isMeant($0.0) }.max { $0.0.count < $1.0.count }?.1 ?? false
}
