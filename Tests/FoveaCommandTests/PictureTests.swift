import Foundation
import Testing

extension CommandTests {
    /// Training on folders of pictures.
    @Suite struct Pictures {
        private static let classes = ["dark", "light"]

        /// A picture of a brightness, with noise, as PPM.
        private func picture(_ label: Int, _ number: Int, height: Int = 7, width: Int = 9) -> [UInt8] {
            let level = label == 0 ? 40 : 200
            let pixels = (0..<height * width * 3).map { UInt8(level + ($0 * 37 + number * 101) % 31) }
            return Array("P6 \(width) \(height) 255\n".utf8) + pixels
        }

        /// `count` pictures of each class, of different sizes.
        private func write(_ count: Int, to folder: String, in place: Workplace) throws {
            for (label, name) in Self.classes.enumerated() {
                for number in 0..<count {
                    // The end of a name says nothing.
                    try place.write(
                        picture(label, number, height: 5 + number % 4, width: 12 - number % 3),
                        to: "\(folder)/\(name)/\(number).jpg")
                }
            }
        }

        private func train(_ folder: String, _ options: String = "") -> String {
            "train \(folder) --network softmax-regression --image-size 10x8 --batch-size 8 --epochs 12 --learning-rate 0.01 "
                + "--output r \(options)"
        }

        @Test func fromAFolderToPredictions() async throws {
            let place = try Workplace()
            for (part, count) in [("train", 20), ("validation", 4), ("test", 5)] {
                try write(count, to: "pets/\(part)", in: place)
            }
            let result = try await place.fovea(
                train("pets", "--augment rotation=10,shift=0.1,flip=horizontal --loader-threads 2"))
            #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
            #expect(result.lines.last == "test accuracy 1.0000")
            #expect(try place.text("r/history.csv").contains("val_accuracy"))
            let metrics = try place.text("r/metrics.json")
            for part in [
                #""image_size" : "10x8""#, #""learning_rate" : 0.01"#, #""optimizer" : "adam""#,
                #""augment" : "rotation=10,"#,
            ] {
                #expect(metrics.contains(part), "\(metrics)")
            }
            #expect(!metrics.contains("dropout"))

            let evaluation = try await place.fovea("evaluate r/model.safetensors pets")
            #expect(evaluation.lines.contains("test accuracy 1.0000"), "\(evaluation)")
            let prediction = try await place.fovea(
                "predict r/model.safetensors pets/test/light/0.jpg pets/test/dark/1.jpg --top 1")
            #expect(
                prediction.lines.filter { $0.contains("%") }.map { $0.split(separator: " ").last } == [
                    "light", "dark",
                ])
        }

        /// Without pictures to test with there is no accuracy to report.
        @Test func aPartToValidateOn() async throws {
            let place = try Workplace()
            try write(8, to: "pets", in: place)
            let result = try await place.fovea(train("pets", "--validation 0.25"))
            #expect(result.code == 0 && result.lines.last == "model: r/model.safetensors", "\(result)")
            #expect(try place.text("r/history.csv").contains("val_accuracy"))
            #expect(try !place.text("r/metrics.json").contains("test_accuracy"))

            try write(3, to: "others", in: place)
            let other = try await place.fovea(train("pets", "--validation others"))
            #expect(other.code == 0)
            try place.write(picture(0, 0), to: "others/third/0.jpg")
            let wrong = try await place.fovea(train("pets", "--validation others"))
            #expect(wrong.code == 1 && wrong.errors.contains("others has the classes dark, light, third"))
        }

        @Test func threadsDoNotChangeTheModel() async throws {
            let place = try Workplace()
            try write(10, to: "pets", in: place)
            let models = try await [0, 1, 3].map { threads in
                "--augment rotation=30,zoom=0.2,flip=horizontal --loader-threads \(threads)"
            }.asyncMap { options in
                let result = try await place.fovea(train("pets", options))
                #expect(result.code == 0, "\(result)")
                return try place.bytes("r/model.safetensors")
            }
            #expect(models[0] == models[1] && models[0] == models[2])
        }

        /// The same pictures, changed in the same way, whenever the training was killed.
        @Test(arguments: ["pets", "shapes"]) func aKilledTrainingGoesOn(source: String) async throws {
            let place = try Workplace()
            try write(30, to: "pets", in: place)
            let options = "--augment rotation=30,zoom=0.2,flip=horizontal --validation 0.2 --epochs 40"
            let train =
                source == "pets"
                ? train(source, options)
                : "train \(source) --network softmax-regression --epochs 40 \(options) --output r"
            let whole = try await place.fovea(train.replacing("--output r", with: "--output whole"))
            #expect(whole.code == 0, "\(whole)")
            let again = train + " --checkpoint state --checkpoint-every 3"
            for epoch in [2, 5] {
                let run = try place.start(again)
                try await run.waitFor("Epoch \(epoch)/")
                run.kill()
                try #require(try await run.result().code == -9)
            }
            let last = try await place.fovea(again)
            #expect(last.code == 0 && last.errors.isEmpty, "\(last)")
            #expect(last.output.contains("Going on from state: "), "\(last)")
            #expect(try place.bytes("r/model.safetensors") == place.bytes("whole/model.safetensors"))
        }

        @Test func badPictures() async throws {
            let place = try Workplace()
            try write(9, to: "pets", in: place)
            try place.write(Array(picture(1, 1).dropLast(5)), to: "pets/dark/3.jpg")
            let stopped = try await place.fovea(train("pets"))
            #expect(stopped.code == 1 && stopped.errors.contains("pets/dark/3.jpg"), "\(stopped)")
            #expect(stopped.errors.contains("--on-bad-image skip"), "\(stopped)")
            #expect(try place.names() == ["pets"])
            let skipped = try await place.fovea(train("pets", "--on-bad-image skip"))
            #expect(skipped.code == 0, "\(skipped)")
            #expect(skipped.errors.contains("left out 1 picture that cannot be read:"))
            #expect(skipped.errors.contains("pets/dark/3.jpg"))
            let measured = try await place.fovea("evaluate r/model.safetensors pets")
            #expect(measured.code == 1 && measured.errors.contains("--on-bad-image skip"), "\(measured)")
            let skipping = try await place.fovea("evaluate r/model.safetensors pets --on-bad-image skip")
            #expect(skipping.code == 0 && skipping.errors.contains("left out 1 picture"), "\(skipping)")

            // An empty file, a text and a link to nothing are named like pictures.
            try place.write([], to: "pets/dark/10.png")
            try place.write(Array("<html>".utf8), to: "pets/dark/11.gif")
            try FileManager.default.createSymbolicLink(
                atPath: place.path("pets/dark/12.jpg"), withDestinationPath: "absent")
            let others = try await place.fovea(train("pets", "--on-bad-image skip"))
            #expect(others.code == 0 && others.errors.contains("left out 4 pictures"), "\(others)")

            // Found at the very end only.
            try write(9, to: "parts/train", in: place)
            try write(2, to: "parts/test", in: place)
            try place.write(Array(picture(1, 1).dropLast(5)), to: "parts/test/dark/1.jpg")
            let late = try await place.fovea(train("parts"))
            #expect(late.code == 1 && late.errors.contains("parts/test/dark/1.jpg"), "\(late)")
            #expect(late.errors.contains("The trained model is in r/model.safetensors"), "\(late)")
        }

        /// A training does not go on with other pictures.
        @Test func otherPicturesThanBefore() async throws {
            let place = try Workplace()
            for (folder, count) in [("pets", 12), ("measured", 4), ("others", 4)] {
                try write(count, to: folder, in: place)
            }
            try place.write(picture(0, 9, height: 3), to: "others/dark/0.jpg")
            let command = train("pets", "--epochs 40 --checkpoint state --checkpoint-every 1")
            let again = command + " --validation measured"
            let run = try place.start(again)
            try await run.waitFor("Epoch 3/")
            run.kill()
            try #require(try await run.result().code == -9)
            let state = try place.bytes("state")
            func expectRefusal(_ command: String, _ parts: String...) async throws {
                let result = try await place.fovea(command)
                #expect(result.code == 1, "\(result)")
                for part in parts + ["state: the checkpoint does not fit: its ", "with the data as it was"] {
                    #expect(result.errors.contains(part), "\(result)")
                }
                #expect(try place.bytes("state") == state)
            }
            try await expectRefusal(command, "validation is 8 pictures")
            try await expectRefusal(
                command + " --validation 0.25", "training data had 12 pictures of the class dark, now has 9")
            try await expectRefusal(
                command + " --validation others", "validation data had other sizes of files in the class dark"
            )
            try await expectRefusal(again + " --on-bad-image skip", "failed elements left out")
            try await expectRefusal(again + " --augment flip=horizontal", "augmented")
            try await expectRefusal(again + " --image-size 9x8", "9×8")
            let (pets, files) = (place.path("pets"), FileManager.default)
            try files.moveItem(atPath: pets + "/dark", toPath: pets + "/night")
            try files.moveItem(atPath: place.path("measured/dark"), toPath: place.path("measured/night"))
            try await expectRefusal(
                again, "training data no longer has the class dark and now also has the class night")
            try files.moveItem(atPath: pets + "/night", toPath: pets + "/dark")
            try files.moveItem(atPath: place.path("measured/night"), toPath: place.path("measured/dark"))
            let last = try await place.fovea(again)
            #expect(last.code == 0 && last.output.contains("Going on from state: "), "\(last)")
        }

        /// In a batch of its own, always or when chance puts it into the last one.
        @Test(arguments: [1, 8]) func badPicturesAlone(batchSize: Int) async throws {
            let place = try Workplace()
            for part in ["train", "validation", "test"] { try write(8, to: "pets/\(part)", in: place) }
            for part in ["train", "validation", "test"] {
                try place.write([], to: "pets/\(part)/light/9.jpg")
            }
            let skip = "--on-bad-image skip --batch-size \(batchSize)"
            let train = train("pets", skip + " --epochs 40")
            let whole = try await place.fovea(train.replacing("--output r", with: "--output whole"))
            #expect(whole.code == 0 && whole.lines.last == "test accuracy 1.0000", "\(whole)")
            #expect(whole.errors.contains("left out 2 pictures that cannot be read:"), "\(whole)")
            #expect(whole.errors.contains("of such pictures alone"), "\(whole)")
            let measured = try await place.fovea("evaluate whole/model.safetensors pets \(skip)")
            #expect(measured.code == 0 && measured.lines.contains("test accuracy 1.0000"), "\(measured)")
            #expect(
                measured.errors.contains("1 batch of such pictures alone was passed over"), "\(measured)")

            // Killed after any step, also one that was passed over.
            let again = train + " --checkpoint state --checkpoint-every 1"
            for epoch in [2, 5] {
                let run = try place.start(again)
                try await run.waitFor("Epoch \(epoch)/")
                run.kill()
                try #require(try await run.result().code == -9)
            }
            let last = try await place.fovea(again)
            #expect(last.code == 0 && last.output.contains("Going on from state: "), "\(last)")
            #expect(try place.bytes("r/model.safetensors") == place.bytes("whole/model.safetensors"))
        }

        @Test func badPicturesOnly() async throws {
            let place = try Workplace()
            for name in Self.classes {
                for number in 0..<3 { try place.write([], to: "pets/\(name)/\(number).jpg") }
            }
            let result = try await place.fovea(train("pets", "--on-bad-image skip"))
            #expect(
                result.code == 1 && result.errors.contains("every batch of the training data"), "\(result)")
            #expect(result.errors.contains("left out 6 pictures"), "\(result)")
        }

        @Test func predictionsGoOn() async throws {
            let place = try Workplace()
            try write(8, to: "pets", in: place)
            #expect(try await place.fovea(train("pets")).code == 0)
            try place.write(Array(picture(0, 1).dropLast(5)), to: "bad.jpg")
            let predict = "predict r/model.safetensors --top 1"
            func seen(_ result: Workplace.Result) -> [Substring] {
                result.lines.filter { !$0.hasPrefix(" ") }
            }
            let (first, second) = ("pets/dark/0.jpg", "pets/light/1.jpg")
            let all = "\(first) bad.jpg \(second) absent.jpg"
            let result = try await place.fovea("\(predict) \(all)")
            #expect(result.code == 1 && seen(result) == ["\(first):", "\(second):"], "\(result)")
            let errors = result.errors.split(separator: "\n")
            #expect(errors.count == 3 && errors[0].hasPrefix("bad.jpg: "), "\(result)")
            #expect(errors[1].hasPrefix("absent.jpg: ") && errors[2].contains("2 of 4 images"), "\(result)")

            let skipping = try await place.fovea("\(predict) \(all) --on-bad-image skip")
            #expect(skipping.code == 0 && skipping.output == result.output, "\(skipping)")
            #expect(skipping.errors.split(separator: "\n") == Array(errors.prefix(2)), "\(skipping)")
            let stopping = try await place.fovea("\(predict) \(all) --on-bad-image stop")
            #expect(stopping.code == 1 && seen(stopping) == ["\(first):"], "\(stopping)")
            #expect(stopping.errors == "Error: \(errors[0])\n", "\(stopping)")

            let alone = try await place.fovea("\(predict) bad.jpg")
            #expect(alone.code == 1 && alone.errors == "Error: \(errors[0])\n", "\(alone)")
            let none = try await place.fovea("\(predict) bad.jpg bad.jpg --on-bad-image skip")
            #expect(none.code == 1 && none.errors.hasSuffix("none of the images can be read\n"), "\(none)")
            let unknown = try await place.fovea("\(predict) bad.jpg --on-bad-image ignore")
            #expect(unknown.code == 64 && unknown.errors.contains("known: stop, skip"), "\(unknown)")
        }

        /// What a terminal would obey is spelt out.
        @Test func namesAreShownAsText() async throws {
            let place = try Workplace()
            for (label, name) in ["a\u{1B}[31m", "b\nc"].enumerated() {
                for number in 0..<4 {
                    try place.write(picture(label, number), to: "odd/\(name)/\(number).ppm")
                }
            }
            #expect(try await place.fovea(train("odd")).code == 0)
            let listing = try await place.fovea("datasets show odd --images 0")
            #expect(
                listing.lines.dropFirst() == [
                    "    0  a\\u{1B}[31m         4", "    1  b\\u{A}c             4",
                ])
            try place.write(picture(0, 9), to: "x\u{7}.ppm")
            let result = try await place.fovea("predict r/model.safetensors x\u{7}.ppm")
            #expect(result.lines.first == "x\\u{7}.ppm:", "\(result)")
            #expect(
                result.output.contains("%  a\\u{1B}[31m\n") && result.output.contains("%  b\\u{A}c\n"),
                "\(result)")
        }

        @Test func partsAndClassesToMeasureWith() async throws {
            let place = try Workplace()
            try write(4, to: "pets/train", in: place)
            try write(2, to: "pets/validation", in: place)
            let trained = try await place.fovea(train("pets"))
            #expect(trained.code == 0, "\(trained)")
            #expect(
                trained.lines.first
                    == "pets: 8 pictures of 2 classes, 4 to validate with, brought to 10×8 pixels, grey")
            let absent = try await place.fovea("evaluate r/model.safetensors pets")
            #expect(absent.code == 1 && absent.errors.contains("no part 'test'"), "\(absent)")
            #expect(absent.errors.contains("pets/train or pets/validation"), "\(absent)")
            let part = try await place.fovea("evaluate r/model.safetensors pets/validation")
            #expect(part.code == 0, "\(part)")
            for command in [
                "evaluate r/model.safetensors shapes",
                "predict r/model.safetensors --dataset shapes --index 0",
            ] {
                let other = try await place.fovea(command)
                #expect(
                    other.code == 1 && other.errors.contains("the model tells dark, light apart"), "\(other)")
            }
        }

        /// As from a competition, packed on a Mac, with pictures from a telephone.
        @Test func whatCannotBeUsedIsSaidInALine() async throws {
            let place = try Workplace()
            try write(4, to: "pets/train", in: place)
            for name in ["test/1.jpg", "test/2.jpg", "train/__MACOSX/dark/._1.jpg", "train/.DS_Store"] {
                try place.write(picture(0, 1), to: "pets/" + name)
            }
            for name in ["dark/1.heic", "other/2.HEIC", "other/3.HEIC"] {
                try place.write([1], to: "pets/train/" + name)
            }
            let result = try await place.fovea(train("pets"))
            #expect(result.code == 0, "\(result)")
            #expect(
                result.errors == """
                    pets/test: is not used, because it has no folders for classes, only files: 2 .jpg
                    pets/train: left out files that are no pictures of a class or cannot be read: 3 .heic; left out folders \
                    of results or without pictures that can be read: other; convert .heic pictures to JPEG or PNG to use them

                    """, "\(result)")
            let measured = try await place.fovea("evaluate r/model.safetensors pets")
            #expect(measured.code == 1 && measured.errors.contains("pets/test: is not used"), "\(measured)")
            let shown = try await place.fovea("datasets show pets --images 0")
            #expect(shown.lines.last?.hasPrefix("pets/test: is not used") == true, "\(shown)")
        }

        /// A name is the same, in whichever form a file system stores it.
        @Test func namesOfClassesInTwoForms() async throws {
            let place = try Workplace()
            for (folder, form) in [("pets/train", "\u{E4}"), ("pets/test", "a\u{308}"), ("more", "a\u{308}")]
            {
                for number in 0..<20 {
                    try place.write(picture(0, number), to: "\(folder)/\(form)/\(number).jpg")
                    try place.write(picture(1, number), to: "\(folder)/b/\(number).jpg")
                }
            }
            let result = try await place.fovea(train("pets", "--validation more"))
            #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
            #expect(result.lines.last == "test accuracy 1.0000", "\(result)")
            let measured = try await place.fovea("evaluate r/model.safetensors more")
            #expect(measured.lines.contains("test accuracy 1.0000"), "\(measured)")
            let inside = try await place.fovea(
                "train more --network softmax-regression --image-size 10x8 --epochs 1 --output more/a\u{308}")
            #expect(
                inside.code == 1 && inside.errors.contains("has the pictures of a class"), "\(inside)")
        }

        @Test func foldersThatCannotBeUsed() async throws {
            let place = try Workplace()
            try place.write(picture(0, 0), to: "empty/dark/a.ppm")
            try FileManager.default.createDirectory(
                atPath: place.path("empty/light"), withIntermediateDirectories: true)
            let empty = try await place.fovea(train("empty"))
            #expect(empty.code == 1 && empty.errors.contains("empty/light"), "\(empty)")
            try place.write([1], to: "empty/light/a.heic")
            let unreadable = try await place.fovea(train("empty"))
            #expect(
                unreadable.code == 1 && unreadable.errors.contains("one class only, dark")
                    && unreadable.errors.contains("1 .heic") && unreadable.errors.contains("JPEG or PNG"),
                "\(unreadable)")
            try write(3, to: "pets", in: place)
            try place.write(picture(0, 0), to: "alone/dark/a.ppm")
            try place.write(picture(0, 0), to: "parts/Train/dark/a.ppm")
            try place.write(picture(0, 0), to: "parts/test/dark/a.ppm")
            try write(3, to: "three", in: place)
            try place.write(picture(0, 0), to: "three/other/a.ppm")
            for (arguments, part) in [
                ("alone", "one class only, dark"), ("parts", "in small letters"),
                ("three --network cats-dogs-cnn", "three has 3 classes, but the network tells 2 apart"),
                ("pets --augment std=samples", "leave them out"),
                ("pets --loader-threads 257", "to 256, not 257"),
                ("pets --image-size -8", "from 1 to"),
                ("pets --image-size 0", "--image-size is a number of pixels"),
                ("pets --image-size 10x", "not 10x"), ("pets --image-size 8", "the smallest images"),
                ("shapes --image-size 20", "is for folders of pictures"),
                ("pets --augment rotatoin=3", "rotation"), ("pets --augment zoom=2", "zoom"),
                ("pets --on-bad-image ignore", "known: stop, skip"), ("pets --dropout 1", "less than 1"),
                ("pets --loader-threads -1", "from 0"), ("shapes --validation pets", "name a part"),
                ("pests", "nor is there a folder"),
            ] {
                let network = arguments.contains("--network") ? "" : "--network mnist-cnn"
                let result = try await place.fovea("train \(arguments) \(network) --output r")
                #expect(result.code != 0 && result.errors.contains(part), "\(arguments): \(result)")
            }
        }
    }
}

extension Array {
    /// One after the other.
    fileprivate func asyncMap<Result>(_ body: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
