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

        @Test func whatCannotBeExplainedIsSaid() async throws {
            let place = try await Self.kept.value
            let model = "explain r/model.safetensors picture.pgm"
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
            ] {
                let result = try await place.fovea(arguments)
                #expect(result.code == code && result.errors.contains(text), "\(arguments): \(result)")
                #expect(!FileManager.default.fileExists(atPath: place.path("x.png")))
            }
        }
    }
}
