/// Pickles written by hand: instructions by the names that Python's `pickletools` gives them.
struct PickleText {
    private(set) var bytes: [UInt8] = [0x80, 2]

    func adding(_ code: UInt8, _ operand: [UInt8] = []) -> PickleText {
        var text = self
        text.bytes += [code] + operand
        return text
    }

    func global(_ module: String, _ name: String) -> PickleText {
        adding(0x63, Array("\(module)\n\(name)\n".utf8))
    }
    func text(_ text: String) -> PickleText {
        adding(0x58, little(UInt32(text.utf8.count)) + Array(text.utf8))
    }
    func number(_ number: Int32) -> PickleText { adding(0x4A, little(number)) }
    /// A number of 64 bits.
    func long(_ number: Int) -> PickleText { adding(0x8A, [8] + little(number)) }
    var mark: PickleText { adding(0x28) }
    var tuple: PickleText { adding(0x74) }
    var reduce: PickleText { adding(0x52) }
    var emptyList: PickleText { adding(0x5D) }
    var emptyDictionary: PickleText { adding(0x7D) }
    var setItem: PickleText { adding(0x73) }
    var append: PickleText { adding(0x61) }
    var stop: [UInt8] { bytes + [0x2E] }
    func put(_ number: UInt8) -> PickleText { adding(0x71, [number]) }
    func get(_ number: UInt8) -> PickleText { adding(0x68, [number]) }

    func numbers(_ numbers: [Int]) -> PickleText { numbers.reduce(mark) { $0.long($1) }.tuple }

    /// A tensor of the storage of that name.
    func tensor(
        key: String = "0", type: String = "FloatStorage", count: Int, offset: Int = 0, shape: [Int],
        strides: [Int]
    ) -> PickleText {
        global("torch._utils", "_rebuild_tensor_v2").mark.mark.text("storage").global("torch", type).text(key)
            .text("cpu").long(count).tuple.adding(0x51).long(offset).numbers(shape).numbers(strides).adding(
                0x89
            )
            .global("collections", "OrderedDict").adding(0x29).reduce.tuple.reduce
    }

    /// As it would be in a file, with these storages.
    static func file(_ pickle: [UInt8], storages: [String: [UInt8]] = [:]) -> [UInt8] {
        HandmadeZIP(
            [.init("a/data.pkl", pickle)]
                + storages.sorted { $0.key < $1.key }.map { .init("a/data/\($0.key)", $0.value) }
        ).bytes
    }
}
