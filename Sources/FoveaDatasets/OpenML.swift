import Foundation

/// What OpenML tells of a data set: where its file lies, and the file's checksum.
struct OpenML: Equatable {
    static let server = "https://www.openml.org/"
    /// The most bytes of a description.
    static let descriptionLimit = 1 << 20

    static func descriptionURL(of id: Int) -> String { "\(server)api/v1/json/data/\(id)" }

    let url: String
    let checksum: Checksum

    /// Reads a description, JSON as the server sends it.
    ///
    /// - Parameters:
    ///   - bytes: the description.
    ///   - file: what errors call it.
    /// - Throws: `DatasetError` when it is too long, not JSON, an error message of the server, of another data set, lacks what
    ///   is needed, or the file is not ARFF.
    init(_ bytes: [UInt8], id: Int, file: String) throws(DatasetError) {
        guard bytes.count <= Self.descriptionLimit else {
            throw DatasetError(.tooLarge, file: file, "has more than \(Self.descriptionLimit) bytes")
        }
        let answer: Answer
        do {
            answer = try JSONDecoder().decode(Answer.self, from: Data(bytes))
        } catch {
            throw DatasetError(
                .wrongFormat, file: file, "is not OpenML's description of a data set; try again later")
        }
        if let error = answer.error {
            throw DatasetError(
                .downloadFailed, file: file,
                "OpenML answers: \(error.message ?? "an error without a message")")
        }
        guard let description = answer.description, description.id?.value == id else {
            throw DatasetError(.wrongFormat, file: file, "does not describe OpenML's data set \(id)")
        }
        let format = description.format ?? "of no stated format"
        guard ["arff", "sparse_arff"].contains(format.lowercased()), let url = description.url else {
            throw DatasetError(
                .wrongFormat, file: file,
                "offers data set \(id) as \(format) only; ARFF is read, Parquet is not. Where the data set has another "
                    + "source, use that")
        }
        guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
            throw DatasetError(.wrongFormat, file: file, "gives '\(url)' as the address of the file")
        }
        guard let digits = description.checksum?.lowercased(), digits.count == 32,
            digits.allSatisfy(\.isHexDigit)
        else {
            throw DatasetError(
                .wrongFormat, file: file, "gives no MD5 of the file, so a download could not be checked")
        }
        self.url = url
        checksum = .md5(digits)
    }

    private struct Answer: Decodable {
        var description: Description?
        var error: Failure?

        enum CodingKeys: String, CodingKey {
            case description = "data_set_description"
            case error
        }
    }

    private struct Description: Decodable {
        var id: Identifier?
        var format: String?
        var url: String?
        var checksum: String?

        enum CodingKeys: String, CodingKey {
            case id, format, url
            case checksum = "md5_checksum"
        }
    }

    private struct Failure: Decodable {
        var message: String?
    }

    /// Some of the servers write numbers as text.
    private struct Identifier: Decodable {
        let value: Int?

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                value = Int(text)
            } else {
                value = try container.decode(Int.self)
            }
        }
    }
}
