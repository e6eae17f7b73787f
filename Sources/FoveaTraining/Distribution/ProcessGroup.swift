/// Processes that train one model together. Each runs the same program, with the same data and arguments, and computes its part
/// of each batch.
///
/// `MPIGroup` of `FoveaMPI` is one; whatever else can exchange bytes between processes may be another.
public protocol ProcessGroup: Sendable {
    /// The number of this process, from 0 on.
    var rank: Int { get }
    /// How many there are: a power of two.
    var size: Int { get }
    /// What is said of it where progress is shown, such as `Open MPI 4.1`.
    var summary: String { get }

    /// Sends bytes to another process, and receives bytes that it sends meanwhile by the same call. Neither need be any.
    ///
    /// - Throws: when the other process is gone or does not answer for too long. Nothing more can then be exchanged.
    func exchange(
        sending sent: UnsafeRawBufferPointer, receiving received: UnsafeMutableRawBufferPointer,
        with rank: Int) throws

    /// From now on the others cannot do without this process: its end, other than by a call of `ended`, is theirs.
    func begin()

    /// All processes have come to the same end, and each may go its way.
    func ended()
}

/// A process by itself.
struct SingleProcess: ProcessGroup {
    var rank: Int { 0 }
    var size: Int { 1 }
    var summary: String { "alone" }

    func exchange(
        sending: UnsafeRawBufferPointer, receiving: UnsafeMutableRawBufferPointer, with rank: Int
    ) {}
    func begin() {}
    func ended() {}
}

extension ProcessGroup {
    /// Adds the numbers of all processes, each at its place: neighbours, then pairs of neighbours, and so on. All get the same
    /// bits, because `a + b` is `b + a`.
    ///
    /// - Parameter values: as many in each process.
    func sum(_ values: inout [Double]) throws {
        var others = values
        var distance = 1
        while distance < size {
            try values.withUnsafeBytes { sent in
                try others.withUnsafeMutableBytes { received in
                    try exchange(sending: sent, receiving: received, with: rank ^ distance)
                }
            }
            for index in values.indices { values[index] += others[index] }
            distance *= 2
        }
    }

    /// Adds large arrays in the same order, so that no process adds or sends all of them: two that meet add one half each,
    /// and hand on halves of that; in the end the sums are collected in the opposite order.
    ///
    /// - Parameter values: as many in each process.
    func sum(_ values: inout [Float]) throws {
        guard size > 1 else { return }
        var others = [Float](repeating: 0, count: (values.count + 1) / 2)
        try values.withUnsafeMutableBufferPointer { values in
            var held = 0..<values.count
            var given: [Range<Int>] = []
            var distance = 1
            while distance < size {
                let middle = held.lowerBound + held.count / 2
                let halves = [held.lowerBound..<middle, middle..<held.upperBound]
                let isUpper = rank & distance != 0
                held = halves[isUpper ? 1 : 0]
                given.append(halves[isUpper ? 0 : 1])
                try others.withUnsafeMutableBufferPointer { others in
                    let received = UnsafeMutableBufferPointer(rebasing: others[..<held.count])
                    try exchange(
                        sending: UnsafeRawBufferPointer(
                            UnsafeMutableBufferPointer(rebasing: values[given[given.count - 1]])),
                        receiving: UnsafeMutableRawBufferPointer(received), with: rank ^ distance)
                    add(UnsafeBufferPointer(received), to: UnsafeMutableBufferPointer(rebasing: values[held]))
                }
                distance *= 2
            }
            while distance > 1 {
                distance /= 2
                let missing = given.removeLast()
                try exchange(
                    sending: UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: values[held])),
                    receiving: UnsafeMutableRawBufferPointer(
                        UnsafeMutableBufferPointer(rebasing: values[missing])), with: rank ^ distance)
                held =
                    min(held.lowerBound, missing.lowerBound)..<max(held.upperBound, missing.upperBound)
            }
        }
    }

    /// What the first process has, for all.
    func broadcast(_ bytes: [UInt8]) throws -> [UInt8] {
        var count = [rank == 0 ? Double(bytes.count) : 0]
        try sum(&count)
        var bytes = rank == 0 ? bytes : [UInt8](repeating: 0, count: Int(count[0]))
        let empty = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        try bytes.withUnsafeMutableBytes { bytes in
            var distance = 1
            while distance < size {
                // Those below the distance have it.
                if rank < distance {
                    try exchange(
                        sending: UnsafeRawBufferPointer(bytes), receiving: empty, with: rank + distance)
                } else if rank < 2 * distance {
                    try exchange(
                        sending: UnsafeRawBufferPointer(empty), receiving: bytes, with: rank - distance)
                }
                distance *= 2
            }
        }
        return bytes
    }
}

/// Adds numbers in place; both have as many.
func add(_ others: UnsafeBufferPointer<Float>, to values: UnsafeMutableBufferPointer<Float>) {
    for index in 0..<min(values.count, others.count) { values[index] += others[index] }
}
