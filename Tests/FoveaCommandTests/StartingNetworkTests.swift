import Foundation
import Testing

extension CommandTests {
    /// Networks from files, and training a saved model further.
    @Suite struct StartingNetworks {
        @Test func anArchitectureGoesThroughAFile() async throws {
            let place = try Workplace()
            let train = "train shapes --epochs 1 --seed 3 --verbosity 0"
            let first = try await place.fovea("\(train) --network softmax-regression --output a")
            #expect(first.code == 0, "\(first)")
            // The same network and the same seed: the same model.
            let again = try await place.fovea("\(train) --network a/model.safetensors --output b")
            #expect(again.code == 0, "\(again)")
            #expect(first.lines.last == again.lines.last)
            let json = try await place.fovea("summary a/model.safetensors --json")
            #expect(json.code == 0 && json.lines.first == "{", "\(json)")
            try Data(json.output.utf8).write(to: URL(fileURLWithPath: place.path("net.json")))
            let third = try await place.fovea("\(train) --network net.json")
            #expect(third.code == 0, "\(third)")
            #expect(first.lines.last == third.lines.last)
            #expect(try place.names(in: "runs") == ["shapes-net"])
        }

        @Test func aSavedModelIsTrainedFurther() async throws {
            let place = try Workplace()
            let first = try await place.fovea(
                "train shapes --epochs 2 --network softmax-regression --optimizer sgd,momentum=0.5 --output a"
            )
            #expect(first.code == 0, "\(first)")
            let further = try await place.fovea(
                "train shapes --from a/model.safetensors --epochs 1 --learning-rate 0 --output b")
            #expect(further.code == 0, "\(further)")
            // Nothing is learned at this rate, so it is the model that it began with.
            #expect(first.lines.last == further.lines.last)
            let metrics = try place.text("b/metrics.json")
            #expect(metrics.contains(#""optimizer" : "sgd""#), "\(metrics)")
        }

        @Test func theBestModelIsWrittenAndTrainingEnds() async throws {
            let place = try Workplace()
            // A rate so large that the first epoch stays the best.
            let result = try await place.fovea(
                "train shapes --epochs 9 --network softmax-regression --optimizer sgd --learning-rate 5 "
                    + "--schedule exponential,rate=3 --validation 0.2 --early-stopping 2 --save-best best.safetensors "
                    + "--verbosity 2 --output a")
            #expect(result.code == 0, "\(result)")
            let rows = try place.text("a/history.csv").split(separator: "\n").count - 1
            #expect(rows < 9, "\(rows) epochs")
            let (best, last) = (
                try await place.fovea("evaluate best.safetensors shapes"),
                try await place.fovea("evaluate a/model.safetensors shapes")
            )
            #expect(best.code == 0 && best.lines == last.lines, "\(best) \(last)")
        }

        #if ProtocolBuffers
            @Test func tensorBoardGetsItsFiles() async throws {
                let place = try Workplace()
                let command =
                    "train shapes --epochs 2 --network softmax-regression --verbosity 0 --validation 0.2 --output a"
                let result = try await place.fovea(command + " --tensorboard logs/first")
                #expect(result.code == 0, "\(result)")
                for folder in ["", "/train", "/validation"] {
                    let files = try place.names(in: "logs/first" + folder).filter { $0.contains("tfevents") }
                    #expect(files.count == 1, "\(folder) \(files)")
                }
                let file = try #require(try place.names(in: "logs/first/train").first)
                let bytes = try place.bytes("logs/first/train/\(file)")
                for text in [
                    "epoch_accuracy", "epoch_learning_rate", "--tensorboard logs/first",
                    "dense/kernel/histogram",
                ] {
                    #expect(bytes.firstRange(of: Array(text.utf8)) != nil, "\(text)")
                }
                let refused = try await place.fovea(command + " --tensorboard a/model.safetensors")
                #expect(refused.code == 1 && refused.errors.contains("a/model.safetensors"), "\(refused)")
            }
        #endif

        @Test func whatDoesNotFitIsRefused() async throws {
            let place = try Workplace()
            let first = try await place.fovea(
                "train shapes --epochs 1 --network softmax-regression --verbosity 0 --output a")
            #expect(first.code == 0)
            let digits = try await place.shell("$fovea summary softmax-regression --json > net.json")
            #expect(digits.code == 0)
            for (arguments, code, reason) in [
                ("--network net.json", Int32(64), "gives [10], but the images are [28, 28, 1] of 5 classes"),
                ("--from a/model.safetensors --network mnist-cnn", 64, "exclude each other"),
                ("--from a/model.safetensors --network fashion-cnn", 64, "exclude each other"),
                ("--save-best b/./model.safetensors", 1, "where a result of the training goes"),
                ("--save-best c --checkpoint ./c", 1, "are the same file"),
                ("--from a/model.safetensors --dropout 0.5", 64, "--dropout is for networks known by name"),
                ("--from none.safetensors", 1, "none.safetensors"),
                ("--network ./none.json", 1, "none.json"),
                ("--network a/history.csv", 1, "history.csv"),
            ] {
                let result = try await place.fovea("train shapes \(arguments) --epochs 1 --output b")
                #expect(result.code == code && result.errors.contains(reason), "\(arguments): \(result)")
                #expect(!result.errors.contains("fovea <subcommand>"), "\(arguments): \(result)")
                #expect(try !place.names().contains("b"), "\(arguments)")
            }
        }
    }
}
