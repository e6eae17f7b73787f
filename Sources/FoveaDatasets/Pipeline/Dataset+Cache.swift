import Foundation
import FoveaGraph
import Synchronization

extension Dataset {
    /// Keeps elements in memory once they have been computed, each as it is in epoch 0.
    ///
    /// Put it behind what is expensive and always the same, such as reading pictures, and before what depends on chance. An
    /// element is computed once, however many threads ask for it, as long as there is room: those that would take more than
    /// `byteLimit` bytes are computed each time. Copies of the data set share what is kept.
    ///
    /// - Parameters:
    ///   - byteLimit: how many bytes all elements may take that are kept.
    ///   - byteCount: how many bytes an element takes.
    /// - Throws: `DatasetError` when the data set is endless or the limit negative.
    public func cached(
        byteLimit: Int, byteCount: @escaping @Sendable (Element) -> Int
    ) throws(DatasetError) -> Dataset {
        try checkFinite("cached")
        guard byteLimit >= 0 else {
            throw DatasetError(
                .invalidArgument, "the limit of the cache is \(byteLimit) bytes; it must not be negative")
        }
        let memory = ElementMemory(byteLimit: byteLimit, byteCount: byteCount)
        return Dataset(extent: extent, stages: stages + [cachedStage]) { [compute] place in
            try memory.element(at: place.index) { try compute(Place(index: place.index, epoch: 0)) }
        }
    }
}

/// The same for memory and files, because both give the same elements.
let cachedStage: Stage = "cached"

extension Dataset where Element == Example {
    /// Keeps examples in memory once they have been computed, each as it is in epoch 0.
    ///
    /// - Parameter byteLimit: how many bytes the tensors may take that are kept; others are computed each time.
    /// - Throws: `DatasetError` when the data set is endless or the limit negative.
    public func cached(byteLimit: Int) throws(DatasetError) -> Dataset {
        try cached(byteLimit: byteLimit, byteCount: \.byteCount)
    }
}

private final class ElementMemory<Element: Sendable>: Sendable {
    /// One thread computes, others that want the same element wait for it.
    private final class Slot: Sendable {
        let element = Mutex<Element?>(nil)
    }

    /// For the elements that were asked for, because there may be far more.
    private let slots = Mutex<[Int: Slot]>([:])
    private let room: Mutex<Int>
    private let byteCount: @Sendable (Element) -> Int

    init(byteLimit: Int, byteCount: @escaping @Sendable (Element) -> Int) {
        room = Mutex(byteLimit)
        self.byteCount = byteCount
    }

    func element(at index: Int, _ compute: () throws -> Element) throws -> Element {
        let slot = slots.withLock { slots in
            let slot = slots[index] ?? Slot()
            slots[index] = slot
            return slot
        }
        return try slot.element.withLock { kept in
            if let kept { return kept }
            let element = try compute()
            let size = max(0, byteCount(element))
            let fits = room.withLock { room in
                guard size <= room else { return false }
                room -= size
                return true
            }
            if fits { kept = element }
            return element
        }
    }
}
