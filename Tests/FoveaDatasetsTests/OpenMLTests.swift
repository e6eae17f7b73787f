import Testing

@testable import FoveaDatasets

@Suite struct OpenMLTests {
    private let sum = "0123456789abcdef0123456789ABCDEF"

    private func description(_ changes: [String: String?] = [:]) -> String {
        var fields: [String: String?] = [
            "id": "\"41081\"", "name": "\"SVHN\"", "format": "\"ARFF\"",
            "url": "\"https:\\/\\/www.openml.org\\/data\\/v1\\/download\\/1\\/SVHN.arff\"",
            "md5_checksum": "\"\(sum)\"", "tag": "[\"a\", {\"b\": [1, null]}]",
        ]
        fields.merge(changes) { $1 }
        let all = fields.compactMap { key, value in value.map { "\"\(key)\": \($0)" } }
        return "{\"data_set_description\": {\(all.joined(separator: ","))}}"
    }

    private func error(_ text: String) -> DatasetError? {
        do throws(DatasetError) {
            _ = try OpenML(Array(text.utf8), id: 41_081, file: "url")
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["\"41081\"", "41081"], ["ARFF", "arff", "Sparse_ARFF"])
    func descriptions(id: String, format: String) throws {
        let text = description(["id": id, "format": "\"\(format)\""])
        let openML = try OpenML(Array(text.utf8), id: 41_081, file: "url")
        #expect(openML.url == "https://www.openml.org/data/v1/download/1/SVHN.arff")
        #expect(openML.checksum == .md5(sum.lowercased()))
    }

    @Test func whatCannotBeUsed() throws {
        #expect(error(description(["format": "\"Parquet\""]))?.message.contains("Parquet is not") == true)
        #expect(error(description(["md5_checksum": nil]))?.message.contains("MD5") == true)
        #expect(error(description(["md5_checksum": "\"abc\""]))?.kind == .wrongFormat)
        #expect(error(description(["url": "\"file:///etc/passwd\""]))?.kind == .wrongFormat)
        #expect(error(description(["url": nil]))?.kind == .wrongFormat)
        #expect(error(description(["id": "\"5\""]))?.kind == .wrongFormat)
        #expect(error(description(["url": "5"]))?.kind == .wrongFormat)
        let refused = error(#"{"error": {"code": "111", "message": "Unknown dataset"}}"#)
        #expect(refused?.kind == .downloadFailed && refused?.message.contains("Unknown dataset") == true)
        for text in ["", "{}", "[]", "null", "<html>", "{\"data_set_description\": 3}"] {
            #expect(error(text)?.kind == .wrongFormat)
        }
        #expect(error(String(repeating: " ", count: OpenML.descriptionLimit) + "{}")?.kind == .tooLarge)
        #expect(error(String(repeating: "[", count: 500_000))?.kind == .wrongFormat)
    }

    @Test func truncations() {
        let text = description()
        for length in 0..<text.count { #expect(error(String(text.prefix(length))) != nil) }
        #expect(error(text) == nil)
    }
}
