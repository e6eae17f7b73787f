import Foundation
import Testing

extension CommandTests {
    /// `--mixup` beside what it meets.
    @Suite struct Mixing {
        /// Training is on rows, validation and test are what they are without, and the model is evaluated as any other.
        @Test func mixedPictures() async throws {
            let place = try Workplace()
            try place.writeDigits(train: 120)
            let train =
                "train mnist --network mnist-cnn --batch-size 40 --epochs 2 --validation 0.25 --seed 3 --mixup 0.4"
            let run = try await place.fovea(train + " --class-weights 3=2 --output r")
            #expect(run.code == 0, "\(run)")
            #expect(try place.text("r/metrics.json").contains(#""mixup" : 0.4"#))
            #expect(try place.text("r/history.csv").contains("val_accuracy"))
            let evaluation = try await place.fovea("evaluate r/model.safetensors mnist")
            #expect(evaluation.code == 0)
            #expect(
                evaluation.lines.first { $0.hasPrefix("test accuracy") } == run.lines.last, "\(evaluation)")
            // Further, with and without, and with the same bits when it is done again.
            for (folder, more) in [("a", " --mixup 0.4"), ("b", " --mixup 0.4"), ("c", "")] {
                let further = try await place.fovea(
                    "train mnist --from r/model.safetensors --batch-size 40 --epochs 1 --output \(folder)"
                        + more)
                #expect(further.code == 0, "\(further)")
            }
            #expect(try place.bytes("a/model.safetensors") == place.bytes("b/model.safetensors"))
            #expect(try place.bytes("a/model.safetensors") != place.bytes("c/model.safetensors"))
        }

        @Test func mixedPicturesGoOn() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let train = "train mnist --network softmax-regression --batch-size 20 --checkpoint c --epochs"
            let run = try place.start(train + " 100000 --mixup 0.4 --output r")
            try await run.waitFor("Epoch 3/")
            run.interrupt()
            #expect(try await run.result().code == 130)
            let other = try await place.fovea(train + " 100000 --mixup 0.3 --output r")
            #expect(other.code == 1 && other.errors.contains("data set"), "\(other)")
            let without = try await place.fovea(train + " 100000 --output r")
            #expect(without.code == 1, "\(without)")
        }

        @Test func mixedPicturesThatMakeNoSense() async throws {
            let place = try Workplace()
            try place.writeDigits()
            for (options, reason) in [
                ("--network mnist-cnn --mixup 0", "from 0.001 to 1000"),
                ("--mixup nan", "from 0.001 to 1000"),
                ("--mixup much", "--mixup"), ("--base vgg16 --mixup 0.2", "add --augment"),
            ] {
                let run = try await place.fovea("train mnist \(options)")
                #expect(run.code == 64 && run.errors.contains(reason), "\(options): \(run)")
            }
        }
    }
}
