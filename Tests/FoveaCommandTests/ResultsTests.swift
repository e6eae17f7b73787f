import Foundation
import Testing

extension CommandTests {
    /// Where results go, and what is left of a training that cannot put them there.
    @Suite struct Results {
        private static let results = ["history.csv", "metrics.json", "model.safetensors"]

        private func train(_ epochs: Int, _ options: String = "--output r") -> String {
            "train mnist --network softmax-regression --epochs \(epochs) \(options)"
        }

        // MARK: - Places that go while training goes on

        /// The model goes to a folder beside the checkpoint, or else to the current one; the checkpoint is kept.
        @Test(arguments: [true, false]) func anOutputFolderThatGoes(hasCheckpoint: Bool) async throws {
            let place = try Workplace()
            try place.writeDigits()
            try place.write([], to: "c/.keep")
            let command = train(300) + (hasCheckpoint ? " --checkpoint c/state" : "")
            let run = try place.start(command)
            try await run.waitFor("Epoch 3/")
            try FileManager.default.removeItem(atPath: place.path("r"))
            try place.write([1], to: "r")
            let result = try await run.result()
            #expect(result.code == 1)
            #expect(result.errors.hasPrefix("Error: r/model.safetensors: could not "), "\(result.errors)")
            #expect(result.lines.last?.hasPrefix("test accuracy ") == true)
            let parent = hasCheckpoint ? "c" : "."
            let others = try place.names(in: parent).filter { $0.hasPrefix("fovea-results-") }
            let other = "\(parent)/\(try #require(others.first))"
            #expect(
                result.errors.contains("What could not be written there is in \(other)"), "\(result.errors)")
            #expect(result.lines.contains("model: \(other)/model.safetensors"))
            #expect(try place.names(in: other) == Self.results)
            #expect(try place.bytes("r") == [1])

            try FileManager.default.removeItem(atPath: place.path("r"))
            #expect(result.errors.contains("The same command tries again from c/state") == hasCheckpoint)
            guard hasCheckpoint else { return }
            let again = try await place.fovea(command)
            #expect(again.code == 0 && again.lines.last == result.lines.last)
            #expect(try place.bytes("r/model.safetensors") == place.bytes(other + "/model.safetensors"))
            #expect(try !place.names(in: "c").contains("state"))
        }

        /// A folder that is only gone is made again.
        @Test func anOutputFolderThatIsRemoved() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let run = try place.start(train(300, "--output a/r"))
            try await run.waitFor("Epoch 3/")
            try FileManager.default.removeItem(atPath: place.path("a"))
            let result = try await run.result()
            #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
            #expect(try place.names(in: "a/r") == Self.results)
        }

        /// What cannot be written beside the model is elsewhere, and all is measured.
        @Test func aReportThatCannotBeWritten() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let run = try place.start(train(300))
            try await run.waitFor("Epoch 3/")
            try place.write([1], to: "r/history.csv/x")
            let result = try await run.result()
            #expect(result.code == 1)
            #expect(result.errors.hasPrefix("Error: r/history.csv: could not "), "\(result.errors)")
            #expect(result.lines.suffix(2).first == "model: r/model.safetensors")
            let other = try #require(try place.names().first { $0.hasPrefix("fovea-results-") })
            #expect(try place.names(in: other) == ["history.csv", "metrics.json"])
        }

        /// Training goes on without its checkpoint and says so once, and the model is as ever.
        @Test func aCheckpointFolderThatGoes() async throws {
            let place = try Workplace()
            try place.writeDigits()
            #expect(try await place.fovea(train(100, "--output whole")).code == 0)
            for isBack in [false, true] {
                try place.write([], to: "c/.keep")
                let run = try place.start(train(100, "--output r --checkpoint c/state --checkpoint-every 1"))
                try await run.waitFor("Epoch 3/")
                rename(place.path("c"), place.path("away"))
                if isBack {
                    try await run.waitFor("Epoch 9/")
                    rename(place.path("away"), place.path("c"))
                }
                let result = try await run.result()
                #expect(result.code == 0)
                let lines = result.errors.split(separator: "\n")
                #expect(lines.count == (isBack ? 2 : 1), "\(lines)")
                #expect(lines.first?.hasPrefix("c/state: could not ") == true)
                #expect(lines.first?.contains("Training goes on") == true)
                #expect(try place.bytes("r/model.safetensors") == place.bytes("whole/model.safetensors"))
                if isBack { #expect(try place.names(in: "c") == [".keep"]) }
                try FileManager.default.removeItem(atPath: place.path(isBack ? "c" : "away"))
            }
        }

        @Test func anInterruptWithoutACheckpointThatCouldBeWritten() async throws {
            let place = try Workplace()
            try place.writeDigits()
            try place.write([], to: "c/.keep")
            let run = try place.start(train(1_000_000, "--output r --checkpoint c/state"))
            try await run.waitFor("Epoch 3/")
            // At once, which removing it is not while files are written there.
            rename(place.path("c"), place.path("away"))
            try await run.waitFor("Epoch 6/")
            run.interrupt()
            let result = try await run.result()
            #expect(result.code == 130)
            let line = try #require(result.errors.split(separator: "\n").last)
            #expect(
                line.hasPrefix(
                    "Interrupted: the model so far is in r/model.safetensors; the checkpoint could not be "))
            #expect(!line.contains("goes on from"), "\(line)")
            #expect(try place.names(in: "r") == ["history.csv", "model.safetensors"])
        }

        // MARK: - Folders among the classes

        private func writePictures(in place: Workplace) throws {
            for (label, name) in ["dark", "light"].enumerated() {
                for number in 0..<6 {
                    let pixels = (0..<64).map { UInt8(60 + 120 * label + ($0 * 7 + number * 11) % 40) }
                    try place.write(Array("P5 8 8 255\n".utf8) + pixels, to: "pets/\(name)/\(number).pgm")
                }
            }
        }

        /// Training in the folder of pictures, with the results there, gives the same model each time.
        @Test(arguments: ["", "--output out", "--output deep/er/out"]) func resultsBesideClasses(
            output: String
        ) async throws {
            let place = try Workplace()
            try writePictures(in: place)
            // An earlier version left this behind.
            try FileManager.default.createDirectory(
                atPath: place.path("pets/runs"), withIntermediateDirectories: false)
            let options = "--network softmax-regression --image-size 8 --epochs 2 --batch-size 4"
            let first = try await place.fovea("train pets \(options) --output first")
            #expect(
                first.code == 0 && first.errors.contains("left out folders of results"), "\(first)")
            let folder =
                output.isEmpty ? "runs/pets-softmax-regression" : String(output.dropFirst("--output ".count))
            for _ in 0..<2 {
                let again = try await place.shell("cd pets; exec $fovea train . \(options) \(output)")
                #expect(again.code == 0, "\(again)")
                #expect(try place.names(in: "pets/" + folder) == Self.results)
                #expect(
                    try place.bytes("pets/\(folder)/model.safetensors")
                        == place.bytes("first/model.safetensors"))
            }
            let evaluation = try await place.shell(
                "cd pets; exec $fovea evaluate \(folder)/model.safetensors .")
            #expect(evaluation.code == 0, "\(evaluation)")
            let listing = try await place.fovea("datasets show pets --images 0")
            let names = [folder, "runs"].compactMap { $0.split(separator: "/").first }
            #expect(
                listing.lines.last?.hasSuffix("can be read: \(Set(names).sorted().joined(separator: ", "))")
                    == true,
                "\(listing)")
        }

        /// A checkpoint in the output folder, which is all that a killed run leaves there.
        @Test func aKilledRunBesideClassesGoesOn() async throws {
            let place = try Workplace()
            try writePictures(in: place)
            let options = "train pets --network softmax-regression --image-size 8 --batch-size 4 --epochs"
            let command = "\(options) 400 --output pets/out --checkpoint pets/out/state"
            let run = try place.start(command)
            try await run.waitFor("Epoch 3/")
            run.kill()
            try #require(try await run.result().code == -9)
            #expect(try place.names(in: "pets/out").contains("state"))
            let again = try await place.fovea(command)
            #expect(again.code == 0 && again.output.contains("Going on from pets/out/state"), "\(again)")
            #expect(try place.names(in: "pets/out") == Self.results)
        }

        /// Nothing is left of a training that did not begin.
        @Test func aFolderIsNotMadeForNothing() async throws {
            let place = try Workplace()
            try place.write(Array("P5 1 1 255 x".utf8), to: "pets/cats/1.pgm")
            for output in ["", "--output pets/out", "--output a/b/c"] {
                let run = try await place.shell("cd pets; exec $fovea train . \(output)")
                #expect(run.code == 1 && run.errors.contains("has one class only"), "\(run)")
                #expect(try place.names(in: "pets") == ["cats"])
            }
            try place.write(Array("P5 1 1 255 x".utf8), to: "pets/dogs/1.pgm")
            let taken = try await place.fovea("train pets --output pets/./cats")
            #expect(taken.code == 1 && taken.errors.contains("has the pictures of a class"), "\(taken)")
            #expect(try place.names(in: "pets/cats") == ["1.pgm"])
        }

        // MARK: - Paths

        @Test func pathsThatAreEmpty() async throws {
            let place = try Workplace()
            for command in [
                "train shapes --checkpoint ''", "train shapes --output ''", "train shapes --validation ''",
                "evaluate '' shapes", "predict '' x.png", "predict m.safetensors ''",
                "bench lenet5 --pictures ''",
            ] {
                let run = try await place.shell("exec $fovea \(command)")
                #expect(run.code == 64 && run.errors.contains("a path cannot be empty"), "\(command): \(run)")
                #expect(run.output.isEmpty)
            }
        }

        @Test func aCacheThatIsAFile() async throws {
            let place = try Workplace()
            try place.write([1], to: "file")
            for (settings, part) in [
                (
                    "FOVEA_CACHE=$PWD/file",
                    "/file/mnist: the folder for downloads cannot be made: Not a directory"
                ),
                (
                    "FOVEA_CACHE= XDG_CACHE_HOME=$PWD/file",
                    "/file/fovea/mnist: the folder for downloads cannot be made"
                ),
                ("FOVEA_DATA=$PWD/file", "/file: is no folder; set FOVEA_DATA"),
            ] {
                let run = try await place.shell("\(settings) exec $fovea datasets get mnist")
                #expect(run.code == 1 && run.errors.contains(part), "\(run)")
                #expect(!run.errors.contains("NSCocoaErrorDomain") && run.errors.contains("set FOVEA_"))
            }
        }

        // MARK: - Signals

        /// A terminal that is closed may say so more than once.
        @Test func aTerminalThatIsClosed() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let run = try place.start(train(1_000_000, "--output r --checkpoint state"))
            try await run.waitFor("Epoch 3/")
            for _ in 0..<3 {
                run.signal(SIGHUP)
                try await Task.sleep(for: .milliseconds(2))
            }
            let result = try await run.result()
            #expect(result.code == 130)
            #expect(
                result.errors.hasSuffix("r/model.safetensors; the same command goes on from state\n"),
                "\(result)")
            #expect(try place.names(in: "r") == ["history.csv", "model.safetensors"])
        }

        /// Waits in a script until training is under way, as `log` tells.
        private let untilEpoch3 =
            "n=0; until grep -qs Epoch.3/ log || [ $n = 3000 ]; do n=$((n + 1)); sleep 0.01; done"

        @Test func nohupIsRespected() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let result = try await place.shell(
                "trap '' HUP; $fovea \(train(300)) > log & \(untilEpoch3); kill -HUP $!; wait $!")
            #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
            #expect(try place.text("log").contains("\ntest accuracy "))
        }

        // MARK: - Order

        /// What goes to both outputs is in order where these lead to one file.
        @Test func outputsInOneFileAreInOrder() async throws {
            let place = try Workplace()
            try place.writeDigits()
            #expect(try await place.fovea(train(1)).code == 0)
            try place.write(Workplace.images([7]), to: "one.idx")
            let result = try await place.shell(
                "$fovea predict r/model.safetensors one.idx none.idx --top 1 2>&1")
            let lines = result.output.split(separator: "\n")
            #expect(lines.count == 4 && lines[0] == "one.idx:" && lines[1].contains("%"), "\(result)")
            #expect(lines.dropFirst(2).first?.hasPrefix("none.idx: ") == true)
            #expect(lines.last?.hasPrefix("Error: 1 of 2 images ") == true)
        }

        /// Nobody reads the warnings.
        @Test func aClosedErrorOutputEndsNothing() async throws {
            let place = try Workplace()
            try place.writeDigits()
            try place.write([], to: "c/.keep")
            let train = "$fovea \(train(300, "--output r --checkpoint c/state"))"
            let result = try await place.shell(
                "{ { \(train); echo $? > code; } 2>&1 >log | true; } & \(untilEpoch3); rm -r c; wait")
            #expect(result.code == 0)
            #expect(try place.text("code") == "0\n")
            #expect(try place.names(in: "r") == Self.results)
        }
    }
}
