import Testing

@testable import FoveaDatasets

/// Damaged files give errors, never a crash or a wait without end.
@Suite struct MemoryReaderTests {
    /// A small file that each reader accepts.
    static func sample(_ reader: MemoryReader) throws -> [UInt8] {
        switch reader {
        case .idx: return idx([3, 5, 7], noise(105))
        case .cifar10: return [3] + noise(3072)
        case .cifar100: return [3, 99] + noise(3072)
        case .cifarArchive: return try cifarArchive(.ten)
        case .tar: return try GoldenFiles.bytes("pax.tar.gz")
        case .shard:
            var archive = TarFile()
            archive.add("a.ppm", noise(300))
            archive.add("a.cls", Array("1".utf8))
            return archive.ended
        case .mat: return try GoldenFiles.bytes("numbers_packed.mat")
        case .svhnMAT: return try GoldenFiles.bytes("digits_packed.mat")
        case .arff, .svhnARFF: return try GoldenFiles.bytes("dense.arff")
        case .openML: return Array(#"{"data_set_description": {"id": "41081"}}"#.utf8)
        }
    }

    @Test(arguments: MemoryReader.allCases) func changedBytes(reader: MemoryReader) throws {
        let bytes = try Self.sample(reader)
        var inputs = [bytes, try gzip(bytes), []]
        if let plain = try? UnpackedFile(bytes, named: "a").readBytes(count: 1 << 20), plain != bytes {
            inputs.append(plain)
        }
        var dice = Dice(seed: 7)
        for input in inputs {
            for round in 0..<300 {
                var damaged = input
                for _ in 0...dice.roll(3) where !damaged.isEmpty {
                    // Headers decide most.
                    let place = dice.roll(round % 2 == 0 ? min(600, damaged.count) : damaged.count)
                    switch dice.roll(4) {
                    case 0: damaged[place] ^= 1 << UInt8(dice.roll(8))
                    case 1: damaged[place] = [0, 0x7F, 0x80, 0xFF][dice.roll(4)]
                    case 2: damaged.remove(at: place)
                    default: damaged.insert(UInt8(dice.roll(256)), at: place)
                    }
                }
                try? reader.read(damaged, name: "damaged")
            }
        }
    }

    @Test(arguments: MemoryReader.allCases) func samples(reader: MemoryReader) throws {
        let kind = DatasetError.kind { () throws(DatasetError) in
            // The last name that the reader looks for is in no file.
            try reader.read((try? Self.sample(reader)) ?? [], name: "sample")
        }
        switch reader {
        case .mat, .svhnARFF, .openML: #expect(kind != nil)
        default: #expect(kind == nil)
        }
    }
}
