import Foundation
import FoveaGraph
import Testing

@testable import FoveaSaving

/// Pickles that would run a program, take all memory or never end.
@Suite struct PickleHostileTests {
    private func problem(_ bytes: [UInt8]) -> String {
        let error = #expect(throws: ModelFileError.self) { try PyTorchFile(parsing: bytes, file: "bad.pt") }
        #expect(error?.file == "bad.pt")
        return error?.problem ?? ""
    }

    private func problem(
        pickle: [UInt8], storages: [String: [UInt8]] = ["0": [UInt8](repeating: 0, count: 24)]
    ) -> String {
        problem(PickleText.file(pickle, storages: storages))
    }

    private func dictionary(_ tensor: PickleText) -> [UInt8] {
        PickleText().emptyDictionary.mark.text("w").bytes + tensor.bytes.dropFirst(2) + [0x75, 0x2E]
    }

    @Test(arguments: [
        ("os", "system"), ("builtins", "eval"), ("posix", "system"), ("torch", "load"),
        ("torch", "FloatStorage.x"),
        ("torch._utils", "_rebuild_tensor_v3"), ("collections", "deque"), ("__main__", "Network"),
    ]) func otherNamesAreNotCalled(module: String, name: String) {
        let call = PickleText().global(module, name).mark.text("touch /tmp/never").tuple.reduce.stop
        #expect(problem(pickle: call).contains("an object of Python's, \"\(module).\(name)\""))
    }

    @Test(arguments: [0x6F, 0x69, 0x81, 0x92] as [UInt8]) func objectsAreNotMade(code: UInt8) {
        #expect(problem(pickle: PickleText().mark.adding(code).stop).contains("objects of Python's"))
    }

    @Test func unknownInstructions() {
        let known = Set((0...255).compactMap { PickleInstruction(rawValue: $0)?.rawValue })
        for code in UInt8(0)...255 where !known.contains(code) {
            #expect(!problem(pickle: PickleText().adding(code).stop).isEmpty)
        }
    }

    /// Instructions that find nothing, or something else, on the stack.
    @Test func nothingToWorkOn() {
        for code in UInt8(0)...255 {
            let operand = [UInt8](repeating: 0, count: 9)
            for start in [
                PickleText(), PickleText().mark, PickleText().number(3), PickleText().emptyList.mark,
            ] {
                #expect(!problem(pickle: start.adding(code, operand).stop).isEmpty)
                #expect(!problem(pickle: start.adding(code).stop).isEmpty)
            }
        }
    }

    // MARK: - Tensors

    @Test(arguments: [
        (6, 0, [7], [1]), (6, 1, [6], [1]), (6, 0, [2, 3], [3, 2]), (6, -1, [2], [1]), (6, 0, [-1], [1]),
        (6, 0, [2], [-1]), (6, 0, [1000, 1000, 1000], [0, 0, 0]), (6, 0, [7], [0]), (6, .max, [1], [1]),
        (6, 0, [.max, .max], [.max, .max]), (6, 0, [2, 2], [.max, 1]), (6, 7, [0], [1]), (6, 0, [2], [1, 1]),
        (6, 5, [2], [.max]), (.max, 0, [2], [1]), (-1, 0, [0], [1]), (7, 0, [6], [1]), (5, 0, [5], [1]),
    ]) func shapesAndStrides(count: Int, offset: Int, shape: [Int], strides: [Int]) {
        let tensor = PickleText().tensor(count: count, offset: offset, shape: shape, strides: strides)
        #expect(!problem(pickle: dictionary(tensor)).isEmpty)
    }

    @Test func whatIsFine() throws {
        for (offset, shape, strides) in [
            (0, [2, 3], [3, 1]), (5, [1], [9]), (6, [0], [1]), (0, [2, 3], [1, 2]), (3, [], []),
            (0, [3, 2], [2, 1]),
        ] {
            let tensor = PickleText().tensor(count: 6, offset: offset, shape: shape, strides: strides)
            let bytes = PickleText.file(dictionary(tensor), storages: ["0": [UInt8](repeating: 0, count: 24)])
            #expect(try PyTorchFile(parsing: bytes, file: "f").tensors.map(\.shape) == [Shape(shape)])
        }
    }

    @Test func storages() {
        let tensor = dictionary(PickleText().tensor(count: 6, shape: [6], strides: [1]))
        #expect(problem(pickle: tensor, storages: [:]).contains("no member \"a/data/0\""))
        #expect(problem(pickle: tensor, storages: ["0": [1, 2, 3]]).contains("but has 3 bytes"))
        let outside = dictionary(PickleText().tensor(key: "../../secret", count: 6, shape: [6], strides: [1]))
        #expect(problem(pickle: outside).contains("no member \"a/data/../../secret\""))
        let other = dictionary(
            PickleText().tensor(type: "ComplexFloatStorage", count: 6, shape: [6], strides: [1]))
        #expect(problem(pickle: other).contains("torch.ComplexFloatStorage"))
        var two = PickleText().emptyDictionary
        for (name, type) in [("a", "FloatStorage"), ("b", "IntStorage")] {
            two = two.text(name).tensor(type: type, count: 6, shape: [6], strides: [1]).setItem
        }
        #expect(problem(pickle: two.stop).contains("is of two types"))
    }

    /// Many tensors that show the same numbers would be many times the file.
    @Test func sharedStorages() {
        var text = PickleText().emptyDictionary
        for index in 0..<20 {
            text = text.text("w\(index)").tensor(count: 1 << 14, shape: [1 << 14], strides: [1]).setItem
        }
        let storage = [UInt8](repeating: 0, count: 4 << 14)
        #expect(problem(pickle: text.stop, storages: ["0": storage]).contains("share storages"))
    }

    // MARK: - Structure

    @Test func depth() {
        // Lists in lists, each in the next.
        var bytes = PickleText().bytes
        for _ in 0..<200_000 { bytes += [0x5D] }
        for _ in 0..<199_999 { bytes += [0x61] }
        #expect(problem(pickle: bytes + [0x2E]).contains("nested deeper"))
        // Tuples around tuples.
        #expect(
            problem(pickle: PickleText().bytes + [0x29] + [UInt8](repeating: 0x85, count: 200_000) + [0x2E])
                .contains("nested deeper"))
        // A list in itself.
        #expect(problem(pickle: PickleText().emptyList.put(0).get(0).append.stop).contains("nested deeper"))
    }

    @Test func sharedParts() {
        // Each dictionary has the one before it twice: 2³⁰ names.
        var text = PickleText().emptyDictionary.put(0)
        for level in UInt8(1)...30 {
            text = text.emptyDictionary.put(level)
            for key in ["a", "b"] { text = text.text(key).get(level - 1).setItem }
        }
        #expect(problem(pickle: text.stop).contains("are more than any model needs"))
    }

    @Test func amounts() {
        let many = PickleText().bytes + [UInt8](repeating: 0x4E, count: 2_000_001) + [0x2E]
        #expect(problem(pickle: many).contains("instructions"))
        // A list of pairs that dictionaries are made of again and again.
        var text = PickleText().emptyList.put(0)
        for _ in 0..<2000 { text = text.text("k").number(1).adding(0x86).append }
        var bytes = text.bytes
        let copy = PickleText().global("collections", "OrderedDict").get(0).adding(0x85).reduce.adding(0x85)
        for _ in 0..<2000 { bytes += copy.bytes.dropFirst(2) }
        #expect(!problem(pickle: bytes + [0x2E]).isEmpty)
        let long = String(repeating: "k", count: 2000)
        #expect(
            problem(pickle: PickleText().emptyDictionary.text(long).number(1).setItem.stop).contains(
                "more than 1000"))
    }

    @Test func lengthsBeyondTheEnd() {
        for code in [0x42, 0x54, 0x58] as [UInt8] {
            #expect(
                problem(pickle: PickleText().adding(code, [0xFF, 0xFF, 0xFF, 0xFF]).stop).contains(
                    "cut short"))
        }
        #expect(!problem(pickle: PickleText().adding(0x8D, [UInt8](repeating: 0xFF, count: 8)).stop).isEmpty)
        #expect(!problem(pickle: PickleText().adding(0x58, [2, 0, 0, 0, 0xC3, 0x28]).stop).isEmpty)
    }

    @Test func keysAndNames() throws {
        #expect(
            problem(pickle: PickleText().emptyDictionary.emptyList.number(1).setItem.stop).contains(
                "has a key"))
        #expect(problem(pickle: PickleText().emptyDictionary.stop).contains("holds no tensors"))
        var text = PickleText().emptyDictionary
        for _ in 0..<2 { text = text.text("w").tensor(count: 6, shape: [6], strides: [1]).setItem }
        #expect(problem(pickle: text.stop).contains("two tensors have the name \"w\""))
    }

    // MARK: - Damage

    @Test(arguments: ["state.pt", "state_old.pth", "checkpoint.pt", "module_old.pth"]) func damages(
        name: String
    ) throws {
        let whole = try PyTorchFileTests.fixture(name)
        for count in 0..<whole.count {
            #expect(throws: ModelFileError.self) {
                try PyTorchFile(parsing: Array(whole[..<count]), file: "d")
            }
        }
        for _ in 0..<1500 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4) {
                bytes[Int.random(in: 0..<bytes.count)] = UInt8.random(in: 0...255)
            }
            // The checksums of an archive would keep most damages from the pickle.
            if name == "state.pt", let unpacked = try? ZIPArchive(parsing: whole, file: "d") {
                var pickle = try unpacked.contents(of: "state/data.pkl")
                for _ in 0..<Int.random(in: 1...4) {
                    pickle[Int.random(in: 0..<pickle.count)] = UInt8.random(in: 0...255)
                }
                var members = [HandmadeZIP.Member("state/data.pkl", pickle)]
                for member in unpacked.names where member.contains("/data/") {
                    members.append(.init(member, try unpacked.contents(of: member)))
                }
                for index in members.indices { members[index].checksum = 0 }
                bytes = HandmadeZIP(members).bytes
            }
            guard let file = try? PyTorchFile(parsing: bytes, file: "d") else { continue }
            for tensor in file.tensors { _ = try? tensor.value(file: "d") }
        }
    }
}
