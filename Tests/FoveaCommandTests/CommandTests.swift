import Foundation
import Testing

/// The command's tests start processes; one at a time, so that they do not slow each other down.
@Suite(.serialized) struct CommandTests {}

extension CommandTests {
    @Suite struct Showing {
        @Test(arguments: [
            ("fashion-cnn", "225,034"), ("single-conv", "804,554"), ("mnist-cnn", "93,322"),
            ("wide-kernel-cnn", "3,274,634"), ("cats-dogs-cnn", "3,453,121"), ("softmax-regression", "7,850"),
            ("lenet5", "61,706"), ("alexnet", "60,965,224"), ("vgg16", "138,357,544"),
        ])
        func summaries(network: String, total: String) async throws {
            let result = try await Workplace().fovea("summary \(network)")
            #expect(result.code == 0 && result.errors.isEmpty)
            #expect(result.output.contains(" Total params: \(total) ("))
            #expect(result.output.contains(" Trainable params: \(total) ("))
        }

        @Test func dataSets() async throws {
            let result = try await Workplace().fovea("datasets list")
            #expect(result.code == 0 && result.errors.isEmpty)
            let rows = result.lines.map { $0.split(separator: "\t") }
            #expect(
                rows.map { "\($0[0]) \($0[2])" } == [
                    "mnist 10 classes", "fashion-mnist 10 classes", "cifar-10 10 classes",
                    "cifar-100 100 classes", "cifar-100-coarse 20 classes", "svhn 10 classes",
                    "svhn-mat 10 classes", "shapes 5 classes",
                ])
        }

        @Test func aDataSetOfOnesOwn() async throws {
            let place = try Workplace()
            try place.writeDigits(train: 25, test: 10)
            let result = try await place.fovea("datasets get mnist")
            #expect(result.code == 0)
            #expect(result.lines.first == "MNIST handwritten digits: 25 training and 10 test images")
            #expect(result.lines.dropFirst().prefix(7).last == "    5  5            2     1")
        }

        @Test func whatADataSetHolds() async throws {
            let place = try Workplace()
            try place.writeDigits(train: 25, test: 10)
            let result = try await place.fovea("datasets show mnist --images 2")
            #expect(result.code == 0)
            #expect(result.lines[1] == "Images: 28×28×1, bytes")
            #expect(
                result.lines[2].hasPrefix("Licence: CC BY-SA") && result.lines[3].hasPrefix("Cite: Y. LeCun"))
            #expect(
                result.lines.suffix(3).map { $0.split(separator: " ").prefix(2) } == [
                    ["image", "class"], ["0", "0"], ["1", "1"],
                ])
            let shapes = try await place.fovea("datasets show shapes --images 0")
            #expect(shapes.code == 0 && shapes.lines.last == "    4  star           400   100")
            // Bars are no handwriting.
            let verified = try await place.fovea("datasets verify mnist")
            #expect(verified.code == 1 && verified.errors.contains("4 of 4 files are not as published"))
            #expect(
                verified.lines.allSatisfy { $0.contains("DIFFERENT") && $0.contains("published SHA-256 ") })
            let absent = try await place.fovea("datasets verify cifar-10")
            #expect(absent.code == 1 && absent.errors.contains("CIFAR-10 is not on this machine"))
        }

        @Test func foldersOfPictures() async throws {
            let place = try Workplace()
            for name in [
                "train/cats/1.pgm", "train/dogs/1.pgm", "train/dogs/2.pgm", "test/cats/1.pgm",
                "test/dogs/1.pgm",
            ] {
                try place.write(Array("P5 1 1 255 x".utf8), to: "pets/" + name)
            }
            try place.write([1], to: "pets/train/cats/notes.txt")
            let parts = try await place.fovea("datasets show pets")
            #expect(parts.code == 0)
            #expect(
                parts.lines == [
                    "class  name  train  test", "    0  cats      1     1", "    1  dogs      2     1",
                    "train: left out files that are no pictures of a class or cannot be read: 1 .txt",
                    "              picture  class      size",
                    "pets/train/cats/1.pgm  cats   1×1 grey", "pets/train/dogs/1.pgm  dogs   1×1 grey",
                    "pets/train/dogs/2.pgm  dogs   1×1 grey",
                ])
            let sharded = try await place.fovea("datasets shard pets shards")
            #expect(sharded.code == 0)
            #expect(
                sharded.lines == [
                    "3 pictures of 2 classes in 1 shard: shards/train",
                    "2 pictures of 2 classes in 1 shard: shards/test",
                ])
            #expect(try await place.fovea("datasets show shards").lines.prefix(3) == parts.lines.prefix(3))
            let again = try await place.fovea("datasets shard pets shards")
            #expect(again.code == 1 && again.errors.contains("is in the way"))
            let shard = try await place.fovea("datasets show shards/train/shard-{000..000}.tar --images 0")
            #expect(shard.lines.last == "    1  dogs         2")
            let one = try await place.fovea("datasets show pets/train")
            #expect(one.code == 0 && one.lines[2] == "    1  dogs         2")
            try FileManager.default.createDirectory(
                atPath: place.path("pets/train/birds"), withIntermediateDirectories: true)
            let empty = try await place.fovea("datasets show pets/train")
            #expect(empty.code == 1 && empty.errors.contains("pets/train/birds: there are no pictures"))
            let absent = try await place.fovea("datasets show ./absent")
            #expect(absent.code == 64 && absent.errors.contains("nor is there a folder of this name"))
        }

        @Test(arguments: [
            "--help", "help train", "train --help", "help datasets", "datasets list --help", "",
        ])
        func help(arguments: String) async throws {
            let result = try await Workplace().fovea(arguments)
            #expect(result.code == 0 && result.errors.isEmpty)
            #expect(result.output.contains("USAGE: fovea"))
        }

        @Test func version() async throws {
            let result = try await Workplace().fovea("--version")
            #expect(result.code == 0 && result.errors.isEmpty)
            #expect(result.lines.count == 1)
            #expect(result.lines[0].wholeMatch(of: /0\.1\.0 \(oneDNN [2-9]\.\d+\.\d+\)/) != nil, "\(result)")
        }

        @Test func plan() async throws {
            let result = try await Workplace().fovea("plan mnist-cnn --batch-size 3")
            #expect(result.code == 0)
            #expect(result.output.contains("convolution") && result.output.contains("layout changes: "))
            let timed = try await Workplace().fovea("plan softmax-regression --batch-size 3 --profile")
            #expect(timed.code == 0)
            #expect(timed.lines.contains { $0.wholeMatch(of: /sum [0-9.]+ µs/) != nil })
            let inference = try await Workplace().fovea("plan mnist-cnn --inference --strict --batch-size 3")
            #expect(inference.code == 0)
            #expect(!inference.output.contains("gradient") && !inference.output.contains("wino"))
            let residual = try await Workplace().fovea("plan cifar-resnet20 --inference --batch-size 2")
            #expect(residual.code == 0 && residual.output.contains("convolution"))
        }

        /// What one command measured, the next one takes.
        @Test func autotune() async throws {
            let place = try Workplace()
            let plan = try await place.fovea("plan mnist-cnn --batch-size 3 --autotune")
            #expect(plan.code == 0 && plan.errors.isEmpty)
            let again = try await place.fovea("plan mnist-cnn --batch-size 3 --autotune")
            #expect(again.output == plan.output)
            let measured = try? place.bytes("cache/autotune.json")
            let bench = try await place.fovea("bench mnist-cnn --batch-size 3 --steps 2 --autotune")
            #expect(bench.code == 0 && bench.errors.isEmpty)
            let left = try? place.bytes("cache/autotune.json")
            #expect(left == measured)
        }

        @Test func bench() async throws {
            let place = try Workplace()
            let result = try await place.fovea("bench softmax-regression --batch-size 5 --steps 3 --json")
            #expect(result.code == 0)
            let round = try #require(
                try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
            #expect(round["batch"] as? Int == 5 && round["steps"] as? Int == 3)
            #expect(round["network"] as? String == "softmax-regression")
            let (median, least) = (round["median_ms"] as? Double ?? 0, round["min_ms"] as? Double ?? 0)
            #expect(least > 0 && median >= least)
            #expect(round["peak_rss_mib"] as? Double ?? 0 > 1)

            let rounds = try await place.shell(
                "printf 'go 2\\ngo 4\\n' | $fovea bench softmax-regression --rounds-from-stdin")
            #expect(rounds.code == 0)
            #expect(rounds.lines.map { $0.contains(#""steps":2"#) } == [true, false])
            let wrong = try await place.shell(
                "echo stop | $fovea bench softmax-regression --rounds-from-stdin")
            #expect(wrong.code == 1 && wrong.errors.contains("'go 50', not 'stop'"))
        }
    }

    /// Arguments that make no sense: exit code 64, the reason, and nothing done.
    @Suite struct Arguments {
        private func expectRefusal(_ arguments: String, _ parts: String...) async throws {
            let place = try Workplace()
            let result = try await place.fovea(arguments)
            #expect(result.code == 64 && result.output.isEmpty, "\(arguments): \(result)")
            for part in parts {
                #expect(result.errors.contains(part), "'\(part)' for \(arguments): \(result.errors)")
            }
            #expect(result.errors.hasPrefix("Error: ") && result.errors.contains("Usage: fovea"))
            let left = try place.names()
            #expect(left.isEmpty, "\(arguments): \(left)")
        }

        @Test func unknownNames() async throws {
            try await expectRefusal("trian shapes", "unknown subcommand 'trian'", "'train'")
            try await expectRefusal("learn", "known: datasets, summary, train")
            try await expectRefusal(
                "train shap", "unknown data set 'shap'", "'shapes'", "fovea train <dataset or folder>")
            try await expectRefusal("train fashion_mnist", "did you mean 'fashion-mnist'?")
            try await expectRefusal("datasets get imagenet", "known: mnist, fashion-mnist, cifar-10")
            try await expectRefusal("evaluate m.safetensors minst", "did you mean 'mnist'?")
            try await expectRefusal("predict m --dataset shape --index 0", "did you mean 'shapes'?")
            try await expectRefusal("train shapes --network fashion-cn", "did you mean 'fashion-cnn'?")
            try await expectRefusal("summary mnist-cmm", "did you mean 'mnist-cnn'?")
            try await expectRefusal("plan lenet", "did you mean 'lenet5'?")
            try await expectRefusal("plan mobilenet", "known: fashion-cnn,")
            try await expectRefusal("bench SingleConv", "did you mean 'single-conv'?")
            try await expectRefusal("train shapes --optimizer adm", "did you mean 'adam'?")
            try await expectRefusal("train shapes --precision strikt", "did you mean 'strict'?")
            try await expectRefusal("train shapes --epoch 3", "Did you mean '--epochs'?")
        }

        @Test(arguments: [
            ("--epochs 0", "--epochs must be positive, not 0"), ("--epochs -2", "positive, not -2"),
            ("--epochs many", "'many' is invalid"), ("--epochs 99999999999999999999", "is invalid"),
            ("--batch-size 0", "--batch-size must be positive, not 0"),
            ("--batch-size -1", "positive, not -1"),
            ("--validation 1.5", "less than 1, or a folder, not 1.5"), ("--validation 1", "less than 1"),
            ("--validation -0.5", "more than 0"), ("--validation nan", "not nan"),
            ("--learning-rate -1", "--learning-rate must be"), ("--learning-rate inf", "not inf"),
            ("--seed -1", "'-1' is invalid"), ("--verbosity 3", "0, 1 or 2, not 3"),
            ("--network cats-dogs-cnn", "does not fit shapes: cats-dogs-cnn: the smallest images"),
            ("--network vgg16", "are 32×32; make them larger, or choose another network; received"),
        ])
        func trainingSettings(arguments: String, part: String) async throws {
            try await expectRefusal("train shapes \(arguments)", part)
        }

        @Test func others() async throws {
            try await expectRefusal("train", "'<dataset>'")
            try await expectRefusal("predict m.safetensors", "--dataset and --index")
            try await expectRefusal("predict m.safetensors --dataset shapes", "belong together")
            try await expectRefusal("predict m.safetensors x.idx --dataset shapes --index 1", "either")
            try await expectRefusal("predict m.safetensors --dataset shapes --index -1", "cannot be -1")
            try await expectRefusal("predict m.safetensors x.idx --top 0", "--top must be positive")
            try await expectRefusal("evaluate m.safetensors shapes --batch-size 0", "positive")
            for size in ["0", "-3", "65537", "9223372036854775807"] {
                try await expectRefusal("plan mnist-cnn --batch-size \(size)", "from 1 to 65536")
                try await expectRefusal("bench mnist-cnn --batch-size \(size)", "from 1 to 65536")
            }
            try await expectRefusal("bench mnist-cnn --steps 0", "--steps must be positive")
        }
    }
}
