import Foundation
import FoveaGraph
import TestSupport
import Testing

@testable import FoveaDatasets

@Suite struct DatasetLibraryTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    /// Nothing is on the network of these tests.
    func library(_ environment: [String: String] = [:]) -> DatasetLibrary {
        DatasetLibrary(
            environment: ["HOME": directory.path + "/home"].merging(environment) { $1 },
            systemDirectory: directory.path + "/system",
            transport: FakeTransport { _ in response(404, []) })
    }

    /// Writes a data set of two training images and one test image, whose first pixels and labels are `mark`.
    func install(
        in folder: String, mark: UInt8, dotted: Bool = false, packed: Bool = true, side: UInt32 = 28,
        except missing: String? = nil
    ) throws {
        let pixels = [mark] + [UInt8](repeating: 0, count: Int(2 * side * side) - 1)
        let contents = [
            "train-images-idx3-ubyte": idx([2, side, side], pixels),
            "train-labels-idx1-ubyte": idx([2], [mark, 0]),
            "t10k-images-idx3-ubyte": idx([1, side, side], Array(pixels[..<(pixels.count / 2)])),
            "t10k-labels-idx1-ubyte": idx([1], [mark]),
        ]
        for (name, bytes) in contents where name != missing {
            let spelt = dotted ? name.replacing("-idx", with: ".idx") : name
            try directory.write(packed ? gzip(bytes) : bytes, to: "\(folder)/\(spelt)\(packed ? ".gz" : "")")
        }
    }

    func mark(_ environment: [String: String] = [:], _ name: DatasetName = .mnist) async throws -> Int32 {
        let data = try await library(environment).load(name)
        #expect(data.train.count == 2 && data.test.count == 1)
        #expect(data.train.inputs[0].shape == [2, 28, 28, 1] && data.train.inputs[0].dtype == .uint8)
        #expect(data.train.targets[0].dtype == .int32 && data.classNames.count == 10)
        #expect(data.test.inputs[0].integers[0] == data.test.targets[0].integers[0])
        return data.train.targets[0].integers[0]
    }

    @Test func placesInOrder() async throws {
        let all = ["FOVEA_DATA": directory.path + "/data", "FOVEA_CACHE": directory.path + "/cache"]
        try install(in: "system/mnist", mark: 1)
        #expect(try await mark(all) == 1)
        try install(in: "cache/mnist", mark: 2)
        #expect(try await mark(all) == 2)
        try install(in: "data", mark: 3)
        #expect(try await mark(all) == 3)
        try install(in: "data/mnist", mark: 4)
        #expect(try await mark(all) == 4)
        #expect(try await mark() == 1)
    }

    @Test func foldersThatAreFiles() async throws {
        try directory.write([1], to: "file")
        let file = directory.path + "/file"
        for (environment, place, part) in [
            (["FOVEA_CACHE": file], file + "/mnist", "Not a directory; set FOVEA_CACHE to a folder"),
            (["XDG_CACHE_HOME": file], file + "/fovea/mnist", "Not a directory; set FOVEA_CACHE to a folder"),
            (["HOME": "/proc"], "/proc/.cache/fovea/mnist", "No such file or directory; set FOVEA_CACHE"),
            (["FOVEA_DATA": file], file, "is no folder; set FOVEA_DATA to the folder"),
        ] {
            let error = await #expect(throws: DatasetError.self) {
                try await library(environment).load(.mnist)
            }
            #expect(error?.kind == .fileAccess && error?.file == place, "\(error as Any)")
            #expect(error?.message.contains(part) == true, "\(error as Any)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["file"])
    }

    @Test func cacheFolders() throws {
        let home = directory.path + "/home"
        #expect(try library().cacheDirectory(of: .mnist) == home + "/.cache/fovea/mnist")
        #expect(
            try library(["XDG_CACHE_HOME": "/x"]).cacheDirectory(of: .fashionMNIST)
                == "/x/fovea/fashion-mnist")
        #expect(
            try library(["XDG_CACHE_HOME": "x"]).cacheDirectory(of: .mnist) == home + "/.cache/fovea/mnist")
        #expect(
            try library(["XDG_CACHE_HOME": "/x", "FOVEA_CACHE": "/y"]).cacheDirectory(of: .mnist)
                == "/y/mnist")
        #expect(try library(["FOVEA_CACHE": ""]).cacheDirectory(of: .mnist) == home + "/.cache/fovea/mnist")
        #expect(throws: DatasetError.self) { try library(["HOME": ""]).cacheDirectory(of: .mnist) }
        #expect(library(["HOME": ""]).cacheDirectory == nil)
        #expect(library(["XDG_CACHE_HOME": ""]).cacheDirectory == home + "/.cache/fovea")
        #expect(library(["FOVEA_CACHE": "f", "XDG_CACHE_HOME": "/c"]).cacheDirectory == "f")
    }

    @Test(arguments: [true, false], [true, false])
    func spellings(dotted: Bool, packed: Bool) async throws {
        try install(in: "home/.cache/fovea/mnist", mark: 7, dotted: dotted, packed: packed)
        #expect(try await mark() == 7)
    }

    /// Kaggle has each file in a folder of its name, and some also beside these under another name.
    @Test(arguments: ["train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"])
    func foldersAreNoFiles(folder: String) async throws {
        let data = directory.path + "/data"
        try install(in: "data", mark: 5, dotted: true, packed: false)
        try FileManager.default.createDirectory(
            atPath: data + "/" + folder, withIntermediateDirectories: true)
        #expect(try await mark(["FOVEA_DATA": data]) == 5)
    }

    @Test(arguments: [true, false], [true, false])
    func filesInFoldersOfTheirName(dotted: Bool, packed: Bool) async throws {
        let data = directory.path + "/data"
        try install(in: "data", mark: 6, dotted: dotted, packed: packed)
        for name in try FileManager.default.contentsOfDirectory(atPath: data) {
            try FileManager.default.moveItem(atPath: data + "/" + name, toPath: data + "/moved")
            try FileManager.default.createDirectory(
                atPath: data + "/" + name, withIntermediateDirectories: true)
            try FileManager.default.moveItem(atPath: data + "/moved", toPath: "\(data)/\(name)/\(name)")
        }
        #expect(try await mark(["FOVEA_DATA": data]) == 6)
    }

    /// Nor are those of other data sets: what is missing is looked for elsewhere.
    @Test func foldersNamedLikeFilesOfOtherSets() async throws {
        for name in [DatasetName.cifar10, .svhnMAT, .svhn] {
            for file in name.info.files {
                try FileManager.default.createDirectory(
                    atPath: directory.path + "/data/" + file.name, withIntermediateDirectories: true)
            }
            let error = try await #require(throws: DatasetError.self) {
                try await library(["FOVEA_DATA": directory.path + "/data"]).load(name)
            }
            #expect(error.kind == .downloadFailed, "\(error)")
        }
        for member in CIFAR.Kind.ten.byteCounts.dropFirst() {
            try directory.write([0], to: "data/" + member.name)
        }
        try FileManager.default.createDirectory(
            atPath: directory.path + "/data/data_batch_1.bin", withIntermediateDirectories: true)
        let error = try await #require(throws: DatasetError.self) {
            try await library(["FOVEA_DATA": directory.path + "/data"]).load(.cifar10)
        }
        #expect(error.kind == .missingFile && error.message.hasSuffix("add data_batch_1.bin"), "\(error)")
    }

    @Test func incompleteFoldersOfTheUser() async throws {
        try install(in: "system/mnist", mark: 1)
        try install(in: "data/mnist", mark: 2, except: "t10k-labels-idx1-ubyte")
        let error = try await #require(throws: DatasetError.self) {
            try await mark(["FOVEA_DATA": directory.path + "/data"])
        }
        #expect(error.kind == .missingFile && error.file == directory.path + "/data/mnist")
        #expect(error.message.contains("t10k-labels-idx1-ubyte"))
    }

    @Test func incompleteSystemFoldersArePassedOver() async throws {
        try install(in: "system/mnist", mark: 1, except: "t10k-labels-idx1-ubyte")
        let error = try await #require(throws: DatasetError.self) { try await mark() }
        #expect(error.kind == .downloadFailed)
    }

    @Test func whatCannotBeFetched() async throws {
        let error = try await #require(throws: DatasetError.self) { try await mark([:], .fashionMNIST) }
        #expect(error.kind == .downloadFailed)
        #expect(error.file?.hasPrefix("http://fashion-mnist.s3-website") == true)
        #expect(error.message.contains("FOVEA_DATA") && error.message.contains("system/fashion-mnist"))
    }

    @Test func damagedFilesAreErrors() async throws {
        try install(in: "data", mark: 1)
        try directory.write(idx([2], [0, 10]), to: "data/train-labels-idx1-ubyte")
        let data = ["FOVEA_DATA": directory.path + "/data"]
        #expect(
            try await #require(throws: DatasetError.self) { try await mark(data) }.kind == .labelOutOfRange)
        try directory.write(idx([3], [0, 1, 2]), to: "data/train-labels-idx1-ubyte")
        #expect(
            try await #require(throws: DatasetError.self) { try await mark(data) }.kind == .mismatchedCounts)
    }

    @Test func imagesOfAnotherSizeAreErrors() async throws {
        try install(in: "data", mark: 1, side: 27)
        let error = try await #require(throws: DatasetError.self) {
            try await mark(["FOVEA_DATA": directory.path + "/data"])
        }
        #expect(error.kind == .wrongShape && error.message.contains("[27, 27, 1]"))
    }

    @Test func ownDataNeedsNoCache() async throws {
        try install(in: "data", mark: 6)
        #expect(try await mark(["FOVEA_DATA": directory.path + "/data", "HOME": ""]) == 6)
    }

    @Test func shapesNeedNoFiles() async throws {
        let data = try await DatasetLibrary(environment: [:]).load(.shapes)
        #expect(data.train.count == 2_000 && data.test.count == 500)
        #expect(data.train.inputs[0].shape == [2_000, 28, 28, 1])
    }

    @Test func names() throws {
        #expect(try DatasetName(named: "fashion-mnist") == .fashionMNIST)
        let near = try #require(throws: DatasetError.self) { try DatasetName(named: "fasion-mnist") }
        #expect(near.description == "unknown data set 'fasion-mnist'; did you mean 'fashion-mnist'?")
        let far = try #require(throws: DatasetError.self) { try DatasetName(named: "imagenet") }
        #expect(
            far.description
                == "unknown data set 'imagenet'; known: mnist, fashion-mnist, cifar-10, cifar-100, "
                + "cifar-100-coarse, svhn, svhn-mat, shapes")
    }

    @Test(arguments: DatasetName.allCases)
    func catalogue(name: DatasetName) {
        let info = name.info
        #expect(Set(info.classNames).count == info.classCount && info.classCount >= 5)
        #expect(info.files.isEmpty == (name == .shapes) && info.sources.isEmpty == (name == .shapes))
        let sums = info.files.map(\.checksum)
        #expect(
            sums.allSatisfy { $0.map { $0.digits.count == 64 && $0.digits.allSatisfy(\.isHexDigit) } ?? true }
        )
        #expect(sums.allSatisfy { $0 != nil } == (name != .svhn) && Set(sums).count == sums.count)
        #expect(info.trainCount > 0 && info.testCount > 0 && !info.licence.isEmpty)
        #expect(info.citation.isEmpty == (name == .shapes))
        #expect(info.sources.allSatisfy { $0.hasPrefix("http") && $0.hasSuffix("/") })
    }
}

private let packaged = "/usr/share/datasets/fashion-mnist"

/// The real files, where Debian's package dataset-fashion-mnist has put them.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: packaged))) struct FashionMNISTTests {
    @Test func publishedData() async throws {
        let data = try await DatasetLibrary(environment: ["HOME": "/nonexistent"]).load(.fashionMNIST)
        for (part, perClass) in [(data.train, 6_000), (data.test, 1_000)] {
            #expect(part.inputs[0].shape == [10 * perClass, 28, 28, 1])
            var counts = [Int](repeating: 0, count: 10)
            for label in part.targets[0].integers { counts[Int(label)] += 1 }
            #expect(counts == [Int](repeating: perClass, count: 10))
        }
        #expect(data.classNames[Int(data.train.targets[0].integers[0])] == "Ankle boot")
    }

    @Test func publishedChecksums() throws {
        for file in DatasetName.fashionMNIST.info.files {
            let path = "\(packaged)/\(file.name).gz"
            #expect(try unpackedSHA256(of: path, limit: file.byteCount) == file.checksum)
        }
    }

    @Test func downloadedWhereNothingIsInstalled() async throws {
        let directory = try TemporaryDirectory()
        let library = DatasetLibrary(
            environment: ["FOVEA_CACHE": directory.path], systemDirectory: directory.path + "/none",
            transport: FakeTransport { request in
                let name = request.url.split(separator: "/").last.map(String.init) ?? ""
                let bytes = try Data(contentsOf: URL(fileURLWithPath: packaged + "/" + name))
                return response(200, [UInt8](bytes), chunk: 1 << 20)
            })
        let data = try await library.load(.fashionMNIST)
        #expect(data.train.count == 60_000 && data.test.count == 10_000)
        let again = DatasetLibrary(
            environment: ["FOVEA_CACHE": directory.path], systemDirectory: directory.path + "/none",
            transport: FakeTransport { _ in response(404, []) })
        #expect(try await again.load(.fashionMNIST) == data)
    }

    /// A folder of MNIST's relative must not be taken for MNIST, whose files have the same names.
    @Test func relativesAreNotMistaken() async throws {
        let directory = try TemporaryDirectory()
        let environment = ["FOVEA_DATA": packaged, "FOVEA_CACHE": directory.path]
        let library = DatasetLibrary(
            environment: environment, systemDirectory: directory.path,
            transport: FakeTransport { _ in response(404, []) })
        #expect(try await library.load(.fashionMNIST).test.count == 10_000)
        let error = try await #require(throws: DatasetError.self) { try await library.load(.mnist) }
        #expect(error.kind == .downloadFailed)
    }
}
