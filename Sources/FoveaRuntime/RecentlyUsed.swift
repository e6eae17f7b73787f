/// Values by their keys, of which those are kept that were used last.
package struct RecentlyUsed<Key: Hashable, Value> {
    private var entries: [Key: (value: Value, lastUse: Int)] = [:]
    private var uses = 0
    private let limit: Int

    /// - Parameter limit: how many are kept.
    package init(limit: Int) { self.limit = max(1, limit) }

    /// The value of a key. One that is new is made after the one that was not used for longest has gone, where there are too many.
    package mutating func value(_ key: Key, make: () throws -> Value) rethrows -> Value {
        uses += 1
        if let value = entries[key]?.value {
            entries[key]?.lastUse = uses
            return value
        }
        if entries.count >= limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries[oldest.key] = nil
        }
        let value = try make()
        entries[key] = (value, uses)
        return value
    }
}
