import Foundation
import Testing

extension Workplace {
    /// Puts small pictures of two classes into a folder: a dark or a bright one with noise, as PPM.
    func writePictures(_ count: Int, to folder: String, first: Int = 0) throws {
        for (label, name) in ["dark", "light"].enumerated() {
            for number in first..<first + count {
                try write(Self.picture(label, number), to: "\(folder)/\(name)/\(number).ppm")
            }
        }
    }

    static func picture(_ label: Int, _ number: Int) -> [UInt8] {
        let level = label == 0 ? 40 : 200
        let pixels = (0..<10 * 8 * 3).map { UInt8(level + ($0 * 37 + number * 101) % 31) }
        return Array("P6 8 10 255\n".utf8) + pixels
    }
}

extension CommandTests {
    @Suite struct Evaluating {
        /// A picture that lies in the wrong folder is the most wrong.
        @Test func confusionsAndTheMostWrong() async throws {
            let place = try Workplace()
            try place.writePictures(9, to: "pets/train")
            try place.writePictures(4, to: "pets/test", first: 20)
            let trained = try await place.fovea(
                "train pets --network softmax-regression --image-size 10x8 --batch-size 4 --epochs 20 --learning-rate 0.01 --output r"
            )
            try #require(trained.code == 0, "\(trained)")
            try place.write(Workplace.picture(1, 7), to: "pets/test/dark/stray.ppm")
            try place.write([], to: "pets/test/dark/0.jpg")

            let result = try await place.fovea(
                "evaluate r/model.safetensors pets --on-bad-image skip --worst 2 --output m.json --batch-size 3"
            )
            #expect(result.code == 0, "\(result)")
            let lines = result.lines.map(String.init)
            #expect(lines.contains("test accuracy 0.8889"), "\(lines)")
            let table = try #require(lines.firstIndex { $0.hasPrefix("true \\ predicted") })
            #expect(
                lines[table + 1].split(separator: " ")
                    == ["dark", "4", "1", "1.000", "0.800", "0.889", "5"], "\(lines)")
            #expect(
                lines[table + 2].split(separator: " ")
                    == ["light", "0", "4", "0.800", "1.000", "0.889", "4"])
            #expect(lines[table + 4] == "accuracy 0.889 of 9")
            let worst = try #require(lines.firstIndex(of: "the most wrong by loss:"))
            #expect(lines.count == worst + 3)
            #expect(lines[worst + 1].contains("pets/test/dark/stray.ppm: light "), "\(lines)")
            #expect(lines[worst + 1].hasSuffix(", but it is dark"))
            #expect(lines[worst + 2].hasSuffix(", which is right"))

            let json = try #require(
                try JSONSerialization.jsonObject(with: Data(place.bytes("m.json"))) as? [String: Any])
            #expect(json["confusion_matrix"] as? [[Int]] == [[4, 1], [0, 4]])
            let classes = try #require(json["classes"] as? [[String: Any]])
            #expect(classes.map { $0["name"] as? String } == ["dark", "light"])
            #expect(classes.map { $0["examples"] as? Int } == [5, 4])
            #expect(classes[1]["recall"] as? Double == 1)
            let wrong = try #require(json["worst"] as? [[String: Any]])
            #expect(wrong.count == 2 && wrong[0]["image"] as? String == "pets/test/dark/stray.ppm")
            let metrics = try #require(json["metrics"] as? [String: Double])
            #expect(abs((metrics["accuracy"] ?? 0) - 8.0 / 9) < 1e-9)
        }

        @Test func namedDataAndWrongOptions() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let trained = try await place.fovea(
                "train mnist --network softmax-regression --epochs 1 --output r")
            try #require(trained.code == 0, "\(trained)")
            let result = try await place.fovea("evaluate r/model.safetensors mnist --worst 1")
            #expect(result.code == 0 && result.lines.last?.contains("mnist test image ") == true, "\(result)")
            #expect(result.output.contains("accuracy"))
            let negative = try await place.fovea("evaluate r/model.safetensors mnist --worst -1")
            #expect(negative.code == 64 && negative.errors.contains("--worst"), "\(negative)")
            let nowhere = try await place.fovea("evaluate r/model.safetensors mnist --output no/where.json")
            #expect(nowhere.code == 1 && nowhere.output.isEmpty, "\(nowhere)")
        }
    }
}
