import Foundation
import Testing

@testable import FoveaDatasets

/// The small files that `make_files.py` made.
enum GoldenFiles {
    static func path(_ name: String) throws -> String {
        try #require(Bundle.module.path(forResource: "Golden/" + name, ofType: nil))
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path(name))))
    }

    /// What the files hold.
    struct Contents: Decodable {
        struct Numbers: Decodable {
            let extents: [Int]
            let elements: [Double]
        }

        let numbers: [String: Numbers]
        let others: [String]
        let bigEndian: Numbers
        let dense: [String: [Double?]]
        let colours: [Int]
    }

    static func contents() throws -> Contents {
        try JSONDecoder().decode(Contents.self, from: Data(bytes("readers.json")))
    }
}

extension DatasetError {
    /// The kind of error that `body` throws; nil when it throws none.
    static func kind(_ body: () throws(DatasetError) -> Void) -> Kind? {
        do throws(DatasetError) {
            try body()
            return nil
        } catch {
            #expect(!error.message.isEmpty && error.file != nil)
            return error.kind
        }
    }
}

/// Numbers that are the same in every run.
struct Dice {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func roll(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
}
