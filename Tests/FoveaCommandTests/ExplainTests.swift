import Foundation
import Testing

extension CommandTests {
    /// What a network of bars decides by.
    @Suite struct Explanations {
        private static let kept = Task { try await train() }

        private static func train() async throws -> Workplace {
            let place = try Workplace()
            try place.writeDigits()
            let result = try await place.fovea(
                "train mnist --network single-conv --epochs 1 --output r")
            #expect(result.code == 0, "\(result)")
            try place.write(
                Array("P5 30 20 255\n".utf8) + (0..<600).map { UInt8($0 * 37 % 251) }, to: "picture.pgm")
            return place
        }

        @Test func decisionsAndFeatureMapsAreDrawn() async throws {
            let place = try await Self.kept.value
            for (name, options) in [
                ("a.png", ""), ("b.svg", "--class 7 --method integrated-gradients --theme dark"),
                ("c.png", "--class 2 --layer conv2d"), ("d.png", "--layers conv2d,max_pooling2d"),
            ] {
                let result = try await place.fovea(
                    "explain r/model.safetensors picture.pgm --output \(name) \(options)")
                #expect(result.code == 0 && result.lines.last.map(String.init) == name, "\(result)")
                #expect(try place.bytes(name).count > 1_000)
            }
            let seven = try await place.fovea(
                "explain r/model.safetensors picture.pgm --output e.png --class 7")
            #expect(seven.lines.first?.hasPrefix("7 ") == true, "\(seven)")
        }

        /// Without a picture the model itself is shown.
        @Test func filtersPatternsAndEmbeddingsAreDrawn() async throws {
            let place = try await Self.kept.value
            for (name, options) in [
                ("f.png", "--filters"), ("g.svg", "--filters --layer conv2d --theme dark"),
                ("h.png", "--patterns --layer conv2d --steps 2 --first 20"),
                ("i.png", "--patterns --class 3 --steps 2"), ("j.png", "--patterns --steps 1"),
                ("k.png", "--embedding mnist"), ("l.pdf", "--embedding mnist --projection pca --images 12"),
                ("m.png", "--embedding mnist --layer conv2d --images 10"),
            ] {
                let result = try await place.fovea("explain r/model.safetensors --output \(name) \(options)")
                #expect(result.code == 0 && result.output == "\(name)\n", "\(options): \(result)")
                #expect(try place.bytes(name).count > 1_000)
            }
        }

        @Test func whatCannotBeExplainedIsSaid() async throws {
            let place = try await Self.kept.value
            let model = "explain r/model.safetensors picture.pgm"
            let alone = "explain r/model.safetensors --output x.png"
            for (arguments, code, text) in [
                ("\(model)", 64, "--output FILE, or --show"),
                ("\(model) --output x.png --method grad-cma", 64, "did you mean 'grad-cam'"),
                ("\(model) --output x.png --method gradient --layer conv2d", 64, "the picture itself"),
                ("\(model) --output x.png --layers conv2d --class 3", 64, "leave out --class"),
                ("\(model) --output x.png --class seven", 1, "its classes are 0, 1"),
                ("\(model) --output x.png --class 12", 1, "from 0 to 9"),
                ("\(model) --output x.png --layer cnov2d", 1, "did you mean 'conv2d'"),
                ("\(model) --output x.png --layers conv2d,dens", 1, "did you mean 'dense'"),
                ("\(model) --output x.png --layers dense", 1, "no places"),
                ("\(model) --output x.png --method cam", 1, "GlobalAveragePooling2D"),
                ("explain r/model.safetensors absent.png --output x.png", 1, "absent.png"),
                ("explain absent.safetensors picture.pgm --output x.png", 1, "absent.safetensors"),
                ("\(alone)", 64, "name a picture"),
                ("\(model) --output x.png --filters", 64, "no picture to name"),
                ("\(alone) --filters --patterns", 64, "--filters and --patterns ask"),
                ("\(alone) --filters --class 3", 64, "leave out --class"),
                ("\(alone) --filters --method cam", 64, "leave it out with --filters"),
                ("\(alone) --filters --steps 3", 64, "--steps is for --patterns"),
                ("\(alone) --filters --layer dense", 1, "such as 'conv2d'"),
                ("\(alone) --filters --layer conv2", 1, "did you mean 'conv2d'"),
                ("\(alone) --patterns --layer conv2d --class 3", 64, "give one of them"),
                ("\(alone) --patterns --layer conv2d --first 32", 1, "0 to 31"),
                ("\(alone) --patterns --first -1", 64, "counts from 0"),
                ("\(alone) --patterns --steps 0", 64, "must be positive"),
                ("\(alone) --embedding mnits", 64, "did you mean 'mnist'"),
                ("\(alone) --embedding mnist --images 3", 64, "from 4"),
                ("\(alone) --embedding mnist --projection pac", 64, "did you mean 'pca'"),
                ("\(alone) --embedding mnist --layer desne", 1, "dense"),
                ("\(alone) --embedding shapes", 1, "tells"),
            ] {
                let result = try await place.fovea(arguments)
                #expect(result.code == code && result.errors.contains(text), "\(arguments): \(result)")
                #expect(!FileManager.default.fileExists(atPath: place.path("x.png")))
            }
        }
    }
}
