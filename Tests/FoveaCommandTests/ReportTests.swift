import Foundation
import Testing

extension CommandTests {
    @Suite struct Reports {
        private static let kept = Task { try await train() }

        private static func train() async throws -> Workplace {
            let place = try Workplace()
            try place.writeDigits()
            for arguments in [
                "train mnist --network single-conv --epochs 1 --validation 0.2 --output r",
                "train mnist --network softmax-regression --epochs 1 --output s --seed 7",
                "train mnist --from s/model.safetensors --epochs 1 --output s2",
            ] {
                let result = try await place.fovea(arguments)
                #expect(result.code == 0, "\(result)")
            }
            return place
        }

        /// A folder with the files of a run, to be changed.
        private func copy(of name: String, in place: Workplace, without: String = "") throws -> String {
            let copy = "copy-" + UUID().uuidString
            for file in try place.names(in: name) where file != without && !file.hasSuffix(".html") {
                try place.write(place.bytes("\(name)/\(file)"), to: "\(copy)/\(file)")
            }
            return copy
        }

        @Test func aRunHasAPage() async throws {
            let place = try await Self.kept.value
            let result = try await place.fovea("report r --worst 4")
            #expect(
                result.code == 0 && result.output == "r/report.html\n" && result.errors.isEmpty, "\(result)")
            let page = try place.page("r/report.html")
            for text in [
                "<h1>r</h1>", "single-conv trained on mnist", "Measured on 20 test images of mnist",
                "fovea train mnist --network single-conv --epochs 1 --validation 0.2 --output r", "conv2d",
                "history.csv", "what decided", "804,554", "First filters",
            ] {
                #expect(page.contains(text), "\(text)")
            }
            #expect(page.matches(/test image \d+</))
            // The page is none of the run's files.
            #expect(!page.contains("report.html</td>"))
            #expect(page.count(of: "<figure>") == 4)
            // The same page again, with other data and elsewhere.
            #expect(try await place.fovea("report r --worst 4").code == 0)
            #expect(try place.page("r/report.html") == page)
            let other = try await place.fovea("report r --worst 0 --data mnist --output other.html")
            #expect(other.code == 0, "\(other)")
            #expect(try place.page("other.html").contains("accuracy on mnist"))
        }

        @Test func runsOfOtherKindsHavePages() async throws {
            let place = try await Self.kept.value
            #expect(try await place.fovea("report s --output s.html").code == 0)
            let plain = try place.page("s.html")
            #expect(plain.contains("no convolution") && !plain.contains("First filters"))
            #expect(plain.contains("--seed 7"))
            #expect(try await place.fovea("report s2 --output s2.html").code == 0)
            #expect(try place.page("s2.html").contains("s/model.safetensors trained on mnist"))
        }

        /// What is missing is said on the page and on standard error, and the rest is there.
        @Test(arguments: ["model.safetensors", "history.csv", "metrics.json"])
        func whatIsMissingIsSaid(_ file: String) async throws {
            let place = try await Self.kept.value
            let copy = try copy(of: "r", in: place, without: file)
            let result = try await place.fovea("report \(copy)")
            #expect(result.code == 0 && result.errors.contains("There is no \(file)"), "\(result)")
            let page = try place.page("\(copy)/report.html")
            #expect(page.contains("There is no \(file).") && page.contains("Files"))
            #expect(page.contains("Classes") == (file == "history.csv"))
            try place.write(Array("{\"epochs\": ".utf8), to: "\(copy)/\(file)")
            let damaged = try await place.fovea("report \(copy)")
            #expect(damaged.code == 0 && damaged.errors.contains("\(file) cannot be read"), "\(damaged)")
        }

        /// Of an older version, by hand, or worse.
        @Test func figuresOfAnyoneAreShown() async throws {
            let place = try await Self.kept.value
            let copy = try copy(of: "s", in: place)
            try place.write(
                Array(
                    #"{"dataset": "<i>&\"", "network": 5, "epochs": [1], "seconds": "NaN", "versions": 3, "odd_key": "a\u001b"}"#
                        .utf8), to: "\(copy)/metrics.json")
            try place.write(Array("epoch,loss\n".utf8), to: "\(copy)/history.csv")
            let result = try await place.fovea("report \(copy)")
            #expect(result.code == 0 && result.errors.contains("Nothing was measured"), "\(result)")
            let page = try place.page("\(copy)/report.html")
            #expect(page.contains("5 trained on &lt;i&gt;&amp;&quot;") && page.contains("no curves"))
            #expect(page.contains("odd key") && !page.contains("<i>"))
        }

        @Test func whatCannotBeReportedIsSaid() async throws {
            let place = try await Self.kept.value
            try place.write([1], to: "nothing/file")
            for (arguments, code, text) in [
                ("report", 64, "run"), ("report absent", 1, "no such folder"),
                ("report r/history.csv", 1, "is no folder"),
                ("report nothing", 1, "nothing of a training run"),
                ("report r --output a.pdf", 64, ".html"), ("report r --worst 101", 64, "from 0 to 100"),
                ("report r --data mnits", 64, "did you mean 'mnist'"),
                ("report r --data shapes", 1, "but the model tells"),
                ("report r --output absent/a.html", 1, "absent/a.html"),
            ] {
                let result = try await place.fovea(arguments)
                #expect(result.code == code && result.errors.contains(text), "\(arguments): \(result)")
            }
            #expect(try place.names(in: "nothing") == ["file"])
        }

        /// Pictures of classes with odd names, one of them damaged; and later all gone.
        @Test func foldersOfPictures() async throws {
            let place = try Workplace()
            for part in ["train", "test"] {
                for (number, name) in ["<script>x", "b & \"c'"].enumerated() {
                    for index in 0..<3 {
                        let pixels = (0..<300).map { UInt8(number * 120 + $0 * (index + 3) % 90) }
                        try place.write(
                            Array("P6 10 10 255\n".utf8) + pixels, to: "pets/\(part)/\(name)/\(index).ppm")
                    }
                }
            }
            try place.write(Array("P6 10 10 255\n".utf8), to: "pets/test/<script>x/9.ppm")
            let trained = try await place.fovea(
                "train pets --network cats-dogs-cnn --image-size 80 --epochs 1 --output r --on-bad-image skip"
            )
            #expect(trained.code == 0, "\(trained)")
            let result = try await place.fovea("report r")
            #expect(result.code == 0, "\(result)")
            let page = try place.page("r/report.html")
            #expect(page.contains("&lt;script&gt;x") && !page.contains("<script"))
            #expect(page.contains("Left out: 1 picture") && page.contains("6 test pictures of pets"))
            #expect(page.contains("First filters"))
            // Without the folder that all are in.
            #expect(page.contains("b &amp; &quot;c&#39;/0.ppm") && !page.contains("pets/test/b"))
            try FileManager.default.removeItem(atPath: place.path("pets"))
            let gone = try await place.fovea("report r")
            #expect(gone.code == 0 && gone.errors.contains("Nothing was measured"), "\(gone)")
            #expect(try place.page("r/report.html").contains("First filters"))
        }
    }
}

/// A page, of which a failing test prints no more than a word.
private struct Page: Equatable, CustomTestStringConvertible {
    let text: String

    var testDescription: String { "a page of \(text.utf8.count) bytes" }

    func contains(_ part: String) -> Bool { text.contains(part) }
    func matches(_ pattern: Regex<Substring>) -> Bool { text.contains(pattern) }
    func count(of part: String) -> Int { text.components(separatedBy: part).count - 1 }
}

extension Workplace {
    fileprivate func page(_ name: String) throws -> Page { Page(text: try text(name)) }
}
