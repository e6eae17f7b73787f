import Foundation
import FoveaFiles
import FoveaSaving
import TestSupport
import Testing

/// Files of other programs, given as a model: what they are is said.
@Suite struct ForeignFormatTests {
    static let formats: [(String, String)] = [
        ("model.h5", "this is an HDF5 file, as Keras's .h5 files are; "),
        ("model.weights.h5", "this is an HDF5 file, as Keras's .h5 files are; "),
        ("model.keras", "this is a ZIP archive with a Keras model, as .keras files are; "),
        ("model.pt", "this is a ZIP archive with pickled data, as PyTorch's .pt and .pth files are; "),
        ("old.pt", "this is pickled Python data, as PyTorch's older .pt and .pth files are; "),
        ("data.pickle", "this is pickled Python data, as PyTorch's older .pt and .pth files are; "),
        ("array.npy", "this is a NumPy array (.npy); "),
        ("arrays.npz", "this is a ZIP archive of NumPy arrays (.npz); "),
        ("model.safetensors.gz", "this is a gzip file, which must be unpacked first; "),
    ]

    private static func beginning(_ name: String) throws -> [UInt8] {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/foreign", withExtension: "json"))
        let all = try JSONDecoder().decode([String: String].self, from: Data(contentsOf: url))
        #expect(Set(all.keys) == Set(formats.map(\.0)))
        let digits = Array(try #require(all[name]))
        return try stride(from: 0, to: digits.count, by: 2).map { place in
            try #require(UInt8(String(digits[place..<(place + 2)]), radix: 16))
        }
    }

    @Test(arguments: formats) func areNamed(name: String, text: String) async throws {
        let bytes = try Self.beginning(name)
        try await inTemporaryFolder { folder in
            // Whatever the file is called.
            let path = folder + "/model.safetensors"
            try AtomicFile.write(bytes, to: path)
            let problem = await #expect(throws: ModelFileError.self) {
                try await SavedModel(contentsOf: path)
            }?.problem
            // What Keras writes is read as such, and these are only beginnings.
            let isKeras = name.hasSuffix(".h5") || name.hasSuffix(".keras")
            #expect(isKeras || problem?.hasPrefix(text.replacing("; ", with: ": ")) == true)
            let error = #expect(throws: SafetensorsError.self) {
                try Safetensors(parsing: bytes, file: path)
            }
            #expect(error?.description.hasPrefix("\(path): \(text)Fovea reads safetensors") == true)
        }
    }

    /// However early they end.
    @Test func cutShort() throws {
        for (name, _) in Self.formats {
            let bytes = try Self.beginning(name)
            for count in 0..<bytes.count {
                #expect(throws: SafetensorsError.self) {
                    try Safetensors(parsing: Array(bytes[..<count]), file: name)
                }
            }
        }
        let zip: [UInt8] = [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0xFF, count: 40)
        let error = #expect(throws: SafetensorsError.self) { try Safetensors(parsing: zip, file: "a") }
        #expect(error?.description.contains("as Keras's .keras and PyTorch's .pt files are") == true)
    }

    /// A header whose length has the bytes of a pickle's or a gzip file's mark is one all the same.
    @Test(arguments: [0x0280, 0x8B1F]) func lengthsThatLookLikeMarks(length: Int) throws {
        let header = Array("{}".utf8) + [UInt8](repeating: 0x20, count: length - 2)
        let prefix = withUnsafeBytes(of: UInt64(length).littleEndian) { Array($0) }
        #expect(try Safetensors(parsing: prefix + header, file: "a").tensors.isEmpty)
    }
}
