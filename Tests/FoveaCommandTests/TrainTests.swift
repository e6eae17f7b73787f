import Foundation
import Testing

extension CommandTests {
    @Suite struct Training {
        private static let results = ["history.csv", "metrics.json", "model.safetensors"]

        /// The number behind `test accuracy`, which must be a line of its own.
        private func accuracy(_ result: Workplace.Result) throws -> Substring {
            let line = try #require(result.lines.first { $0.hasPrefix("test accuracy ") }, "\(result)")
            #expect(line.wholeMatch(of: /test accuracy [01]\.\d{4}/) != nil, "\(line)")
            return line.dropFirst("test accuracy ".count)
        }

        /// Five classes, for a network made for ten.
        @Test func shapesFromTrainingToPrediction() async throws {
            let place = try Workplace()
            let train = try await place.fovea("train shapes --network softmax-regression --epochs 2 --seed 5")
            #expect(train.code == 0 && train.errors.isEmpty)
            let accuracy = try accuracy(train)
            #expect(Double(accuracy) ?? 0 > 0.25)
            let folder = "runs/shapes-softmax-regression"
            #expect(train.lines.dropLast().last == "model: \(folder)/model.safetensors")
            #expect(train.lines.count { $0.hasPrefix("Epoch ") } == 2)
            #expect(try place.names(in: folder) == Self.results)

            let rows = try place.text(folder + "/history.csv").split(separator: "\n")
            #expect(rows.first == "epoch,accuracy,loss,seconds")
            #expect(rows.dropFirst().map { $0.prefix(2) } == ["1,", "2,"])
            let losses = rows.dropFirst().compactMap { Double($0.split(separator: ",")[2]) }
            #expect(losses.count == 2 && losses[1] < losses[0])

            let json = Data(try place.bytes(folder + "/metrics.json"))
            let metrics = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
            #expect(
                metrics.keys.sorted() == [
                    "batch_size", "command", "dataset", "epochs", "images_per_second", "learning_rate",
                    "network",
                    "optimizer", "precision", "seconds", "seed", "test_accuracy", "test_loss", "threads",
                    "versions",
                ])
            let exact = try #require(metrics["test_accuracy"] as? Double)
            #expect(String(format: "%.4f", exact) == accuracy)
            #expect(metrics["seed"] as? Int == 5 && metrics["threads"] as? Int == 1)
            #expect(metrics["dataset"] as? String == "shapes" && metrics["batch_size"] as? Int == 32)
            let (seconds, speed) = (metrics["seconds"] as? Double, metrics["images_per_second"] as? Double)
            #expect(abs((seconds ?? 0) * (speed ?? 0) - 4000) < 1e-6)
            let versions = try #require(metrics["versions"] as? [String: String])
            #expect(versions.keys.sorted() == ["bfloat16_unit", "fovea", "onednn", "vector_instructions"])
            let (fovea, library) = (versions["fovea"] ?? "", versions["onednn"] ?? "")
            #expect(
                try await place.fovea("--version").lines == ["\(fovea) (oneDNN \(library))"])

            let model = folder + "/model.safetensors"
            let evaluation = try await place.fovea("evaluate \(model) shapes --batch-size 77")
            #expect(evaluation.code == 0)
            #expect(try self.accuracy(evaluation) == accuracy)

            let prediction = try await place.fovea("predict \(model) --dataset shapes --index 499 --top 5")
            #expect(prediction.code == 0)
            #expect(prediction.lines.first == "shapes test image 499:")
            #expect(prediction.lines.count == 7)
            let classes = ["circle", "square", "triangle", "cross", "star"]
            #expect(prediction.lines.last.map { $0.hasPrefix("  labelled: ") } == true)
            #expect(classes.contains { prediction.lines[1].hasSuffix(" %  \($0)") })
            let outside = try await place.fovea("predict \(model) --dataset shapes --index 500")
            #expect(outside.code == 1 && outside.errors.contains("--index is 500"))
            #expect(outside.errors.contains("0 to 499"))
        }

        private struct Metrics: Decodable {
            struct Choice: Decodable {
                let request: String
                let algorithm: String
                let microseconds: [String: Double]
                let isFromCache: Bool
            }
            let autotune: [Choice]
        }

        private func choices(_ place: Workplace, _ folder: String) throws -> [Metrics.Choice] {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(
                Metrics.self, from: Data(try place.bytes(folder + "/metrics.json"))
            ).autotune
        }

        /// The first run measures, the second finds the times: the same choices, and the same model.
        @Test func autotune() async throws {
            let place = try Workplace()
            let train = "train shapes --network single-conv --epochs 1 --batch-size 250 --autotune --output"
            for folder in ["a", "b"] {
                let run = try await place.fovea("\(train) \(folder)")
                #expect(run.code == 0 && run.errors.isEmpty, "\(run)")
                #expect(try place.names(in: folder) == Self.results)
            }
            let (first, second) = (try choices(place, "a"), try choices(place, "b"))
            for direction in ["convolution: ", "convolution kernel gradient: ", "matmul: "] {
                #expect(first.contains { $0.request.hasPrefix(direction) })
            }
            #expect(Set(first.map(\.request)).count == first.count)
            for choice in first {
                #expect(choice.microseconds.isEmpty || choice.microseconds[choice.algorithm] != nil)
                #expect(choice.microseconds.values.allSatisfy { $0 > 0 } && choice.microseconds.count != 1)
                #expect(!choice.isFromCache)
            }
            #expect(second.map(\.request) == first.map(\.request))
            #expect(second.map(\.algorithm) == first.map(\.algorithm))
            #expect(second.map(\.microseconds) == first.map(\.microseconds))
            #expect(second.allSatisfy { $0.isFromCache != $0.microseconds.isEmpty })
            #expect(try place.bytes("a/model.safetensors") == place.bytes("b/model.safetensors"))
        }

        @Test func autotuneWithoutAUsableCache() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let train = "train mnist --network single-conv --batch-size 60 --epochs 1 --autotune --output r"
            #expect(try await place.fovea(train).code == 0)
            guard try choices(place, "r").contains(where: { !$0.microseconds.isEmpty }) else { return }
            try place.write([UInt8]("{\"half\": ".utf8), to: "cache/autotune.json")
            let damaged = try await place.fovea(train)
            #expect(damaged.code == 0)
            #expect(damaged.errors.contains("cache/autotune.json is damaged"), "\(damaged.errors)")
            #expect(damaged.errors.split(separator: "\n").count == 1)
            #expect(try await place.fovea(train).errors.isEmpty)

            for (setting, part) in [
                ("FOVEA_CACHE=data/mnist/train-labels-idx1-ubyte", "could not be written"),
                ("FOVEA_CACHE= HOME=", "no folder is known"),
            ] {
                let run = try await place.shell("\(setting) $fovea \(train)")
                #expect(run.code == 0 && run.errors.contains(part), "\(run.errors)")
                #expect(run.errors.hasPrefix("--autotune: "))
                #expect(run.errors.split(separator: "\n").count == (part.hasPrefix("no") ? 1 : 2))
                #expect(try choices(place, "r").allSatisfy { !$0.isFromCache })
            }
        }

        @Test func autotuneLeavesStrictAlone() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let train = "train mnist --network mnist-cnn --epochs 1 --precision strict --output"
            #expect(try await place.fovea(train + " a").code == 0)
            #expect(try await place.fovea(train + " b --autotune").code == 0)
            let choices = try choices(place, "b")
            #expect(!choices.isEmpty)
            #expect(choices.allSatisfy { $0.algorithm == "direct" && $0.microseconds.isEmpty })
            #expect(try place.names().sorted().contains("cache") == false)
            #expect(try place.bytes("a/model.safetensors") == place.bytes("b/model.safetensors"))
        }

        @Test(arguments: [
            "single-conv --epochs 2 --batch-size 20", "wide-kernel-cnn --epochs 1 --validation 0.1",
        ])
        func digits(network: String) async throws {
            let place = try Workplace()
            try place.writeDigits()
            let train = try await place.fovea("train mnist --network \(network) --output a/b//c/")
            let accuracy = try accuracy(train)
            #expect(train.code == 0)
            #expect(try place.names(in: "a/b/c") == Self.results)
            #expect(try place.text("a/b/c/history.csv").contains("val_loss") == network.contains("0.1"))
            let evaluation = try await place.fovea("evaluate a/b/c/model.safetensors mnist")
            #expect(try self.accuracy(evaluation) == accuracy)
        }

        @Test func predictionFromFiles() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let train = try await place.fovea(
                "train mnist --network softmax-regression --epochs 60 --learning-rate 0.01 --output r")
            #expect(try accuracy(train) == "1.0000")
            try place.write(Workplace.images([7, 2]), to: "two.idx")
            try place.write(
                Workplace.idx([28, 28], Array(Workplace.images([4]).dropFirst(16))), to: "one.idx")
            let result = try await place.fovea("predict r/model.safetensors two.idx one.idx --top 1")
            #expect(result.code == 0)
            let lines = result.lines.filter { !$0.contains("%") }
            #expect(lines == ["two.idx, image 0:", "two.idx, image 1:", "one.idx:"])
            let classes = result.lines.filter { $0.contains("%") }.compactMap(\.last)
            #expect(classes == ["7", "2", "4"])

            try place.write(Workplace.idx([1, 28, 27], [UInt8](repeating: 0, count: 756)), to: "narrow.idx")
            try place.write([UInt8]("no image".utf8), to: "text.idx")
            for (file, part) in [
                ("narrow.idx", "[28, 28, 1]"), ("text.idx", "is neither a picture (JPEG, PNG,"),
                ("missing.idx", "no such file"),
            ] {
                let wrong = try await place.fovea("predict r/model.safetensors \(file)")
                #expect(wrong.code == 1)
                #expect(wrong.errors.hasPrefix("Error: \(file): ") && wrong.errors.contains(part))
            }
        }

        @Test func theSeedDecidesTheModel() async throws {
            let place = try Workplace()
            try place.writeDigits()
            for (folder, seed) in [("a", 3), ("b", 3), ("c", 4)] {
                let result = try await place.fovea(
                    "train mnist --network mnist-cnn --batch-size 25 --epochs 2 --seed \(seed) --output \(folder)"
                )
                #expect(result.code == 0)
            }
            let models = try ["a", "b", "c"].map { try place.bytes($0 + "/model.safetensors") }
            #expect(models[0] == models[1])
            #expect(models[0] != models[2])
        }

        // MARK: - Trainings that go wrong

        private let endless = "train mnist --network softmax-regression --epochs 1000000 --output r"

        @Test func anInterruptSavesTheModel() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let first = try await place.fovea(
                "train mnist --network softmax-regression --epochs 1 --output r")
            #expect(first.code == 0)
            let run = try place.start(endless)
            try await run.waitFor("Epoch 5/")
            run.interrupt()
            let result = try await run.result()
            #expect(result.code == 130)
            #expect(result.errors == "Interrupted: the model so far is in r/model.safetensors\n")
            // What the first run measured is not true of the new model.
            #expect(try place.names(in: "r") == ["history.csv", "model.safetensors"])
            #expect(try place.text("r/history.csv").split(separator: "\n").count >= 5)
            let evaluation = try await place.fovea("evaluate r/model.safetensors mnist")
            #expect(evaluation.code == 0 && !evaluation.output.contains("nan"))
        }

        @Test func lossThatIsNoNumberInTheFirstEpoch() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let train = "train mnist --network mnist-cnn --batch-size 30 --epochs 2 --output r"
            #expect(try await place.fovea(train).code == 0)
            let before = try Self.results.map { try place.bytes("r/" + $0) }
            let result = try await place.fovea(train + " --learning-rate 1e30")
            #expect(result.code == 1)
            #expect(result.errors.contains("at step 2 of epoch 1"))
            #expect(
                result.errors.contains("smaller learning rate")
                    && result.errors.contains("no model was saved"))
            #expect(try Self.results.map { try place.bytes("r/" + $0) } == before)
        }

        @Test func lossThatIsNoNumberInALaterEpoch() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let result = try await place.fovea(
                "train mnist --network mnist-cnn --batch-size 60 --epochs 3 --learning-rate 1e18 --output r")
            #expect(result.code == 1)
            #expect(result.errors.contains("at step 1 of epoch 2"), "\(result.errors)")
            #expect(result.errors.contains("after epoch 1 is in r/model.safetensors"))
            #expect(try place.names(in: "r") == ["model.safetensors"])
            #expect(try await place.fovea("summary r/model.safetensors").code == 0)
        }

        /// As root everything may be written, so these are folders that cannot exist.
        @Test func foldersThatCannotBeWrittenTo() async throws {
            let place = try Workplace()
            try place.writeDigits()
            try place.write([1, 2, 3], to: "file")
            try place.write([4], to: "taken/model.safetensors/x")
            for (folder, part) in [
                ("file", "Not a directory"), ("file/below", "Not a directory"),
                ("/proc/fovea", "No such file"),
                ("/dev/null", "Not a directory"), ("taken", "Is a directory"),
                (String(repeating: "n", count: 300), "File name too long"),
            ] {
                let run = try await place.fovea("train mnist --network mnist-cnn --output \(folder)")
                #expect(run.code == 1)
                #expect(run.errors.contains(part) && run.errors.contains(folder), "\(run.errors)")
                // Not one epoch was begun.
                #expect(run.output.isEmpty)
            }
            #expect(try place.bytes("file") == [1, 2, 3])
            #expect(try place.names(in: "taken") == ["model.safetensors"])
        }

        /// A limit on the size of files stands for a full disk.
        @Test func filesThatCannotBeWrittenWhole() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let train = "train mnist --network softmax-regression --epochs 1 --output r"
            for isFirst in [true, false] {
                if !isFirst { #expect(try await place.fovea(train).code == 0) }
                let before = isFirst ? [] : try Self.results.map { try place.bytes("r/" + $0) }
                let result = try await place.shell("ulimit -f 16; exec $fovea \(train) --seed 9")
                #expect(result.code == 1)
                #expect(result.errors.contains("r/model.safetensors: could not write"), "\(result.errors)")
                // It is known before training. A folder that got nothing is taken away again.
                #expect(result.output.isEmpty)
                #expect(try place.names().contains("r") == !isFirst)
                if !isFirst { #expect(try place.names(in: "r") == Self.results) }
                #expect(try before == (isFirst ? [] : Self.results.map { try place.bytes("r/" + $0) }))
            }
        }

        // MARK: - Checkpoints

        @Test func aKilledTrainingGoesOn() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let train = "train mnist --network single-conv --epochs 8 --batch-size 7 --validation 0.2"
            let whole = try await place.fovea(train + " --output whole")
            #expect(whole.code == 0)
            let again = train + " --output r --checkpoint state --checkpoint-every 3"
            for epoch in [2, 5] {
                let run = try place.start(again)
                try await run.waitFor("Epoch \(epoch)/")
                run.kill()
                let result = try await run.result()
                try #require(result.code == -9)
                #expect(try place.names().contains("state"))
            }
            let last = try await place.fovea(again)
            #expect(last.code == 0 && last.errors.isEmpty)
            let line = /Going on from state: \d of 8 epochs and \d of 7 steps are done/
            #expect(last.lines.first?.wholeMatch(of: line) != nil, "\(last.output)")
            #expect(last.lines.last == whole.lines.last)
            #expect(try place.bytes("r/model.safetensors") == place.bytes("whole/model.safetensors"))
            func withoutSeconds(_ folder: String) throws -> [Substring] {
                try place.text(folder + "/history.csv").split(separator: "\n")
                    .map { $0[..<($0.lastIndex(of: ",") ?? $0.endIndex)] }
            }
            #expect(try withoutSeconds("r") == withoutSeconds("whole"))
            #expect(try !place.names().contains("state"))
            #expect(try place.names(in: "r") == Self.results)
        }

        @Test func anInterruptedTrainingGoesOn() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let run = try place.start(endless + " --checkpoint state")
            try await run.waitFor("Epoch 3/")
            run.interrupt()
            let result = try await run.result()
            #expect(result.code == 130)
            #expect(result.errors.hasSuffix("model.safetensors; the same command goes on from state\n"))
            let state = try place.bytes("state")

            // What is not the same command.
            for (options, part) in [
                ("mnist --network mnist-cnn", "another network"),
                ("mnist --network softmax-regression --seed 1", "its seed is 0"),
                ("mnist --network softmax-regression --precision strict", "its precision is float32"),
                ("shapes --network softmax-regression", "its data set is mnist"),
            ] {
                let other = try await place.fovea("train \(options) --output o --checkpoint state")
                #expect(other.code == 1)
                #expect(other.errors.contains("state: the checkpoint does not fit: "), "\(other.errors)")
                #expect(other.errors.contains(part), "\(other.errors)")
                #expect(try place.bytes("state") == state)
            }
            for bytes in [Array(state.dropLast(9)), [], [UInt8](repeating: 65, count: 100)] {
                try place.write(bytes, to: "state")
                let damaged = try await place.fovea(endless + " --checkpoint state")
                #expect(damaged.code == 1 && damaged.errors.hasPrefix("Error: state: "), "\(damaged)")
            }
        }

        @Test func checkpointOptions() async throws {
            let place = try Workplace()
            for (options, part) in [
                ("--checkpoint-every 3", "needs --checkpoint"),
                ("--checkpoint c --checkpoint-every 0", "must be positive"),
                ("--checkpoint c --checkpoint-every -2", "must be positive"),
            ] {
                let run = try await place.fovea("train mnist \(options)")
                #expect(run.code == 64 && run.errors.contains(part), "\(run)")
            }
            try place.writeDigits()
            let run = try await place.fovea(
                "train mnist --network softmax-regression --checkpoint none/c --output r")
            #expect(run.code == 1 && run.errors.hasPrefix("Error: none/c: "), "\(run)")
            #expect(run.output.isEmpty)
            for name in Self.results {
                for path in ["r/\(name)", "../\(place.folder.split(separator: "/").last ?? "")/r/\(name)"] {
                    let run = try await place.fovea(
                        "train mnist --network softmax-regression --checkpoint \(path) --output r")
                    #expect(run.code == 1 && run.errors.contains("choose another name"), "\(run)")
                }
            }
        }

        // MARK: - Readers that leave

        @Test func aReaderThatLeavesDoesNotEndTraining() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let train = "$fovea train mnist --network softmax-regression --epochs 300 --output r"
            let result = try await place.shell("{ \(train); echo $? > code; } | head -1")
            #expect(result.output == "Epoch 1/300\n" && result.errors.isEmpty)
            #expect(try place.text("code") == "0\n")
            #expect(try place.names(in: "r") == Self.results)
        }

        @Test func outputsThatAreClosedOrFull() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let closed = try await place.shell(
                "$fovea train mnist --network softmax-regression --epochs 2 --output r >&- 2>&-")
            #expect(closed.code == 0)
            #expect(try await place.fovea("evaluate r/model.safetensors mnist").code == 0)

            let short = try await place.shell("{ $fovea summary mnist-cnn; echo $? > code; } | head -1")
            #expect(short.output.hasPrefix("Model: \"mnist_cnn\"") && short.errors.isEmpty)
            #expect(try place.text("code") == "0\n")
            let full = try await place.shell("$fovea summary mnist-cnn > /dev/full")
            #expect(full.code == 1 && full.errors.contains("No space left on device"))
        }
    }
}
