import Foundation
import Testing

extension CommandTests {
    /// A new head on a network that was trained before.
    @Suite struct Transfer {
        /// A place with pictures and a base for them, `base/model.safetensors`.
        private func place(_ options: String = "") async throws -> Workplace {
            let place = try Workplace()
            try place.writePictures(10, to: "pets/train")
            try place.writePictures(3, to: "pets/validation", first: 30)
            try place.writePictures(5, to: "pets/test", first: 40)
            let base = try await place.fovea(
                "train pets --network single-conv --image-size 10x8 --epochs 1 --output base \(options)")
            try #require(base.code == 0, "\(base)")
            return place
        }

        private let train = "train pets --base base/model.safetensors --batch-size 8 --output r"

        @Test func fromABaseToPredictions() async throws {
            let place = try await place()
            let result = try await place.fovea(train + " --save-best best.safetensors")
            #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
            #expect(result.output.contains("so the features of 26 images are computed once"), "\(result)")
            #expect(result.lines.last == "test accuracy 1.0000", "\(result)")
            // Few pictures are gone through often: 3 steps of an epoch are to become 300.
            #expect(result.output.contains("Epoch 100/100 - accuracy: 1.0000"))
            #expect(try place.text("r/history.csv").split(separator: "\n").count == 101)
            let metrics = try place.text("r/metrics.json")
            for part in [#""features_kept" : true"#, #""optimizer" : "sgd""#, #""epochs" : 100"#] {
                #expect(metrics.contains(part), "\(metrics)")
            }
            let evaluation = try await place.fovea("evaluate r/model.safetensors pets")
            #expect(evaluation.lines.contains("test accuracy 1.0000"), "\(evaluation)")
            let best = try await place.fovea("evaluate best.safetensors pets")
            #expect(best.lines.contains("test accuracy 1.0000"), "\(best)")
            let prediction = try await place.fovea(
                "predict r/model.safetensors pets/test/light/40.ppm pets/test/dark/41.ppm --top 1")
            #expect(
                prediction.lines.filter { $0.contains("%") }.map { $0.split(separator: " ").last } == [
                    "light", "dark",
                ])
            // The whole is a base again, and is trained further with its base frozen.
            let again = try await place.fovea("train pets --from r/model.safetensors --epochs 2 --output s")
            #expect(again.code == 0 && again.lines.last == "test accuracy 1.0000", "\(again)")
            let other = try await place.fovea(
                "train pets --base r/model.safetensors --head dense:6,dropout:0.25 --epochs 60 --output t")
            #expect(other.code == 0, "\(other)")
            #expect(try place.text("t/metrics.json").contains(#""optimizer" : "adam""#))
            let summary = try await place.fovea("summary t/model.safetensors")
            #expect(
                summary.output.contains("dropout_1") && summary.output.contains("(None, 6)"), "\(summary)")
        }

        /// Random changes leave nothing to keep; then the base may be trained, too.
        @Test func augmentedAndFineTuned() async throws {
            let place = try await place()
            let options =
                " --augment flip=horizontal --epochs 3 --head flatten --fine-tune conv2d --fine-tune-epochs 2 "
                + "--fine-tune-rate 0.001 --learning-rate 0.01"
            let result = try await place.fovea(train + options)
            #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
            #expect(result.output.contains("the base computes their features in each epoch"), "\(result)")
            #expect(
                result.output.contains("Fine-tuning the layers from conv2d on: 1602 of 1602"), "\(result)")
            let history = try place.text("r/history.csv").split(separator: "\n")
            #expect(history.count == 6 && history[5].hasPrefix("5,"), "\(history)")
            #expect(try place.text("r/metrics.json").contains(#""fine_tune" : "conv2d""#))

            // What makes validation no better is dropped: the model is that of the head's training.
            let plain = try await place.fovea(train + " --epochs 2 --output plain")
            let worse = try await place.fovea(
                train + " --epochs 2 --output worse --fine-tune all --fine-tune-rate 5 --fine-tune-epochs 1")
            #expect(plain.code == 0 && worse.code == 0, "\(worse)")
            #expect(worse.output.contains("so its changes are dropped"), "\(worse)")
            let (a, b) = (
                try await place.fovea("evaluate plain/model.safetensors pets"),
                try await place.fovea("evaluate worse/model.safetensors pets")
            )
            #expect(a.output == b.output)
        }

        /// Killed while the head is trained and while the base is, it comes to the same bits.
        @Test func goesOnFromCheckpoints() async throws {
            let place = try await place()
            let train = train + " --epochs 600 --fine-tune all --fine-tune-epochs 300 --early-stopping 1000"
            let whole = try await place.fovea(train.replacing("--output r", with: "--output whole"))
            #expect(whole.code == 0, "\(whole)")
            let again = train + " --checkpoint state --checkpoint-every 5"
            for epoch in ["60/600", "620/900", "700/900"] {
                let run = try place.start(again)
                try await run.waitFor("Epoch \(epoch)")
                run.kill()
                try #require(try await run.result().code == -9)
            }
            let last = try await place.fovea(again)
            #expect(last.code == 0 && last.errors.isEmpty, "\(last)")
            #expect(last.output.contains("Going on from state.fine-tune: "), "\(last)")
            #expect(try place.bytes("r/model.safetensors") == place.bytes("whole/model.safetensors"))
            #expect(try place.names().allSatisfy { !$0.hasPrefix("state") })

            // Other pictures have other features.
            let run = try place.start(again)
            try await run.waitFor("Epoch 60/600")
            run.kill()
            _ = try await run.result()
            try place.write(Workplace.picture(0, 99), to: "pets/train/dark/1.ppm")
            let other = try await place.fovea(again)
            #expect(
                other.code == 1 && other.errors.contains("state: the checkpoint does not fit"), "\(other)")
        }

        @Test func badPicturesClassWeightsAndAPartToValidateOn() async throws {
            let place = try await place()
            try place.write([], to: "pets/train/dark/99.jpg")
            let stopped = try await place.fovea(train)
            #expect(stopped.code == 1 && stopped.errors.contains("pets/train/dark/99.jpg"), "\(stopped)")
            #expect(try !place.names().contains("r"))
            let result = try await place.fovea(
                train
                    + " --on-bad-image skip --validation 0.2 --class-weights balanced --epochs 40 --verbosity 0"
            )
            #expect(result.code == 0 && result.lines.last == "test accuracy 1.0000", "\(result)")
            #expect(result.errors.contains("left out 1 picture that cannot be read:"), "\(result)")
            #expect(result.lines.count == 2, "\(result)")
            #expect(try place.text("r/history.csv").contains("val_accuracy"))
        }

        @Test func stepSizes() async throws {
            let place = try await place()
            let onFeatures = try await place.fovea(train + " --find-rate")
            #expect(onFeatures.code == 0, "\(onFeatures)")
            #expect(onFeatures.lines.last?.hasPrefix("a step size that fits: --learning-rate ") == true)
            let onPictures = try await place.fovea(
                "train pets --network single-conv --image-size 10x8 --find-rate --output r")
            #expect(onPictures.lines.last?.hasPrefix("a step size that fits: ") == true, "\(onPictures)")
            #expect(try place.names() == [".", "base", "pets"].filter { $0 != "." })
        }

        @Test func whatDoesNotFit() async throws {
            let place = try await place()
            try place.writeDigits()
            let flat = try await place.fovea(
                "train mnist --network softmax-regression --epochs 1 --output flat")
            try #require(flat.code == 0)
            for (options, code, part) in [
                ("--base base/model.safetensors --network vgg16", 64, "--base excludes --network"),
                ("--base base/model.safetensors --dropout 0.5", 64, "--head dropout:RATE"),
                ("--base base/model.safetensors --head dense", 64, "'dense' is none of dense:UNITS"),
                ("--base base/model.safetensors --head dense:0", 64, "dense:UNITS"),
                ("--base base/model.safetensors --head dropout:1", 64, "dropout:RATE"),
                ("--base base/model.safetensors --fine-tune-epochs 2", 64, "need --fine-tune"),
                ("--base base/model.safetensors --fine-tune all --save-best b", 64, "--save-best"),
                ("--base base/model.safetensors --fine-tune conv", 64, "did you mean 'conv2d'?"),
                ("--base base/model.safetensors --image-size 20", 64, "10×8 pixels"),
                ("--base base/model.safetensors --base-weights w", 64, "has its weights"),
                ("--base vgg17", 64, "did you mean 'vgg16'?"),
                ("--head dense:5", 64, "need --base"),
                ("--base flat/model.safetensors", 1, "no layer that gives images"),
                ("--base absent.safetensors", 1, "absent.safetensors"),
                ("--base vgg16 --image-size 10x8", 64, "smallest images"),
            ] {
                let result = try await place.fovea("train pets \(options) --output r")
                #expect(result.code == code && result.errors.contains(part), "\(options): \(result)")
                #expect(try !place.names().contains("r"), "\(options)")
            }
            let digits = try await place.fovea("train mnist --base base/model.safetensors --output r")
            #expect(digits.code == 64 && digits.errors.contains("does not fit mnist"), "\(digits)")
        }
    }
}
