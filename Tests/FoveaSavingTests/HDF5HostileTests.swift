import FoveaGraph
import TestSupport
import Testing

@testable import FoveaSaving

/// Whatever the bytes are, there is a file or an error.
@Suite struct HDF5HostileTests {
    private static let names = ["earliest", "latest", "in order", "long attributes"]

    /// What can be read is bounded by the size of the file.
    private func read(_ bytes: [UInt8]) -> Bool {
        guard let file = try? HDF5File(parsing: bytes, file: "f.h5") else { return false }
        var total = 0
        func add(_ object: HDF5Object) {
            for (name, value) in object.attributes {
                total += name.utf8.count + (value.string?.utf8.count ?? 0) + (value.tensor?.bytes.count ?? 0)
                total += (value.strings ?? []).reduce(0) { $0 + $1.utf8.count }
            }
            total += object.dataset?.tensor.bytes.count ?? 0
            for (name, member) in object.group?.members ?? [] {
                total += name.utf8.count
                add(member)
            }
        }
        add(.group(file.root))
        #expect(total <= 2 * bytes.count)
        return true
    }

    @Test(arguments: ["in order", "in order, latest", "compact, latest", "padded"])
    func everyTruncation(name: String) throws {
        let bytes = try HDF5Golden.file(name)
        #expect(read(bytes))
        var readCount = 0
        // The address of the end; without it no reader would notice before it is there.
        let place = bytes[8] == 0 ? 40 : 28
        for count in 0..<bytes.count {
            var part = Array(bytes[..<count])
            #expect(!read(part))
            guard count >= 48 else { continue }
            part.replaceSubrange(
                place..<place + 8, with: withUnsafeBytes(of: UInt64(count).littleEndian) { Array($0) })
            readCount += read(part) ? 1 : 0
        }
        #expect(readCount < bytes.count / 2)
    }

    @Test(arguments: names) func randomDamage(name: String) throws {
        let bytes = try HDF5Golden.file(name)
        // Most of a file of some formats is empty: what is hit has something in it.
        let places = bytes.indices.filter { bytes[$0] != 0 }
        var generator = SplitMix(state: 1)
        var readCount = 0
        for _ in 0..<2000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let place = places.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: damaged[place] = 0xFF
                case 2: damaged[place] = UInt8.random(in: .min ... .max, using: &generator)
                default:
                    // A piece of another place, such as a whole address.
                    let source = Int.random(in: 0..<bytes.count / 8, using: &generator) * 8
                    let target = place / 8 * 8
                    for i in 0..<8 where target + i < damaged.count {
                        damaged[target + i] = bytes[source + i]
                    }
                }
            }
            if read(damaged) { readCount += 1 }
        }
        #expect((1..<2000).contains(readCount))
    }

    @Test func thingsThatLieOverEachOtherAreRefused() throws {
        // The data of 1,000 datasets are the same.
        var members: [(name: String, object: HDF5Object)] = []
        let numbers = [UInt8](repeating: 7, count: 10000)[...]
        let tensor = try #require(StoredTensor(name: "", shape: [10000], type: .uint8, bytes: numbers))
        for i in 0..<1000 {
            let part = try #require(StoredTensor(name: "", shape: [1], type: .uint8, bytes: numbers[..<1]))
            members.append(("m\(i)", .dataset(HDF5Dataset(tensor: i == 999 ? tensor : part))))
        }
        var bytes = try HDF5File(root: HDF5Group(members: members)).serialized()
        let (large, small) = (extents(10000), extents(1))
        let header = try #require(bytes.firstRange(of: large)).upperBound
        let place = try #require(bytes[header...].firstRange(of: layout)).upperBound
        let data = Array(bytes[place..<place + 16])
        while let range = bytes.firstRange(of: small) { bytes.replaceSubrange(range, with: large) }
        var rest = bytes.startIndex
        while let range = bytes[rest...].firstRange(of: layout) {
            bytes.replaceSubrange(range.upperBound..<range.upperBound + 16, with: data)
            rest = range.upperBound
        }
        let error = #expect(throws: ModelFileError.self) { try HDF5File(parsing: bytes, file: "f.h5") }
        #expect(error?.problem.contains("lie over each other") == true, "\(error?.problem ?? "")")
    }

    /// The message of a layout up to the address of the data.
    private let layout: [UInt8] = [8, 0, 24, 0, 0, 0, 0, 0, 3, 1]

    private func extents(_ count: Int) -> [UInt8] {
        [1, 0, 16, 0, 0, 0, 0, 0] + HDF5Dataspace([count]).encoded
    }
}
