import FoveaGraph
import TestSupport
import Testing

@testable import FoveaDatasets

@Suite struct CIFARTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    /// A record whose value at each row, column and channel is known.
    private func record(_ label: UInt8, _ number: Int) -> [UInt8] {
        [label] + (0..<3).flatMap { channel in (0..<1024).map { self.value(number, $0, channel) } }
    }

    private func value(_ number: Int, _ pixel: Int, _ channel: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: number &* 31 &+ pixel &* 7 &+ channel &* 101)
    }

    @Test func channelsComeLast() throws {
        let first = try directory.write(record(3, 0) + record(0, 1), to: "a.bin")
        let second = try directory.write(gzip(record(9, 2)), to: "b.bin")
        let examples = try CIFAR.readExamples([first, second])
        #expect(examples.targets[0].integers == [3, 0, 9])
        #expect(examples.inputs[0].shape == [3, 32, 32, 3] && examples.inputs[0].dtype == .uint8)
        let expected = (0..<3).flatMap { number in
            (0..<1024).flatMap { pixel in (0..<3).map { Int32(value(number, pixel, $0)) } }
        }
        #expect(examples.inputs[0].integers == expected)
    }

    private func kind(_ bytes: [UInt8], limit: Int = 10) throws -> DatasetError.Kind? {
        let path = try directory.write(bytes, to: "file")
        do throws(DatasetError) {
            _ = try CIFAR.readExamples([path], limit: limit)
            return nil
        } catch {
            #expect(error.file == path)
            return error.kind
        }
    }

    @Test func badFiles() throws {
        #expect(try kind([]) == .truncated)
        #expect(try kind(Array(record(1, 0).dropLast())) == .truncated)
        #expect(try kind(record(1, 0) + [0]) == .truncated)
        #expect(try kind(record(1, 0) + record(10, 1)) == .labelOutOfRange)
        #expect(try kind(record(1, 0) + record(1, 1), limit: 1) == .tooLarge)
        #expect(try kind(record(1, 0) + record(1, 1), limit: 2) == nil)
        #expect(try kind(record(1, 0), limit: .max) == nil)
        for limit in [0, -1, .min] { #expect(try kind(record(1, 0), limit: limit) == .tooLarge) }
        #expect(try kind(Array(gzip(record(1, 0)).dropLast(9))) == .truncated)
        let missing = #expect(throws: DatasetError.self) { try CIFAR.readExamples([directory.path + "/no"]) }
        #expect(missing?.kind == .missingFile)
    }
}

extension CIFARTests {
    @Test func bothLabelsOfCIFAR100() throws {
        let records = [4, 31] + record(0, 5).dropFirst() + [19, 99] + record(0, 6).dropFirst()
        let path = try directory.write(Array(records), to: "a")
        let fine = try CIFAR.readExamples([path], kind: .hundred)
        let coarse = try CIFAR.readExamples([path], kind: .hundredCoarse)
        #expect(fine.targets[0].integers == [31, 99] && coarse.targets[0].integers == [4, 19])
        #expect(fine.inputs == coarse.inputs)
        let expected = [5, 6].flatMap { number in
            (0..<1024).flatMap { pixel in (0..<3).map { Int32(value(number, pixel, $0)) } }
        }
        #expect(fine.inputs[0].integers == expected)
    }

    @Test func labelsOfCIFAR100() throws {
        func kind(_ labels: [UInt8], _ kind: CIFAR.Kind) throws -> DatasetError.Kind? {
            let path = try directory.write(labels + record(0, 1).dropFirst(), to: "a")
            return DatasetError.kind { () throws(DatasetError) in
                _ = try CIFAR.readExamples([path], kind: kind)
            }
        }
        #expect(try kind([20, 99], .hundred) == nil && kind([20, 99], .hundredCoarse) == .labelOutOfRange)
        #expect(try kind([19, 100], .hundred) == .labelOutOfRange && kind([19, 100], .hundredCoarse) == nil)
        #expect(try kind([1], .hundred) == .truncated)
    }

    @Test(arguments: CIFAR.Kind.allCases) func archives(kind: CIFAR.Kind) throws {
        let path = try directory.write(cifarArchive(kind), to: "a.tar.gz")
        let (train, test, names) = try CIFAR.readArchive(path, kind: kind)
        #expect(names == kind.testClassNames)
        let count = kind.members.train.count
        #expect(train.count == count && test.count == 1)
        let offset: Int32 = kind == .hundred ? 90 : 0
        #expect(train.targets[0].integers == (0..<Int32(count)).map { $0 + offset })
        #expect(test.targets[0].integers == [Int32(count) + offset])
        let pixels = noise(3072)
        let image = (0..<1024).flatMap { place in (0..<3).map { Int32(pixels[place + 1024 * $0]) } }
        #expect(test.inputs[0].integers == image)
    }

    @Test func archivesThatAreNotWhole() throws {
        func kind(_ bytes: [UInt8], limit: Int = 10) throws -> DatasetError.Kind? {
            let path = try directory.write(bytes, to: "a.tar.gz")
            return DatasetError.kind { () throws(DatasetError) in
                _ = try CIFAR.readArchive(path, kind: .ten, limit: limit)
            }
        }
        #expect(
            try kind(cifarArchive(.ten), limit: 5) == nil && kind(cifarArchive(.ten), limit: 4) == .tooLarge)
        #expect(try kind(cifarArchive(.ten), limit: .max) == nil)
        #expect(try kind(cifarArchive(.ten), limit: .min) == .tooLarge)
        for name in ["data_batch_4.bin", "test_batch.bin", "batches.meta.txt"] {
            #expect(try kind(cifarArchive(.ten, except: name)) == .missingFile)
            #expect(try kind(cifarArchive(.ten, twice: name)) == .wrongFormat)
        }
        #expect(try kind(cifarArchive(.hundred)) == .missingFile)
        let names = CIFAR.classNames
        #expect(try kind(cifarArchive(.ten, names: names)) == nil)
        #expect(try kind(cifarArchive(.ten, names: names.dropLast())) == .wrongFormat)
        #expect(try kind(cifarArchive(.ten, names: names + ["other"])) == .wrongFormat)
        #expect(try kind(cifarArchive(.ten, names: names.dropLast() + ["cat"])) == .wrongFormat)
        var tar = TarFile()
        tar.add("data_batch_1.bin", noise(100))
        #expect(try kind(tar.ended) == .truncated)
        tar = TarFile()
        tar.add("../data_batch_1.bin", record(1, 0))
        #expect(try kind(tar.ended) == .wrongFormat)
    }
}
