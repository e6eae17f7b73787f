import Foundation
import Testing

extension CommandTests {
    @Suite struct Plots {
        private static let table =
            "epoch,accuracy,loss,val_accuracy,val_loss,seconds\n1,0.5,1.5,0.4,1.6,1\n2,0.75,1,0.6,1.2,1\n"

        @Test func runsAreDrawn() async throws {
            let place = try Workplace()
            for name in ["runs/a", "runs/b <i>&"] {
                try place.write(Array(Self.table.utf8), to: "\(name)/history.csv")
            }
            try place.write([1], to: "runs/c/other")
            let one = try await place.fovea("plot runs/a --output one.svg --smooth 0.8")
            #expect(one.code == 0 && one.output == "one.svg\n", "\(one)")
            #expect(try place.text("one.svg").hasPrefix("<?xml"))
            let all = try await place.fovea(
                "plot runs/a runs/a/history.csv runs/c --output all.png --theme dark --log")
            #expect(all.code == 0 && all.errors.contains("runs/c/history.csv"), "\(all)")
            #expect(try place.bytes("all.png").starts(with: [0x89, 0x50]))
        }

        @Test func whatCannotBeDrawnIsSaid() async throws {
            let place = try Workplace()
            try place.write(Array(Self.table.utf8), to: "a/history.csv")
            try place.write(Array("epoch,loss\n1,x\n".utf8), to: "bad.csv")
            try place.write(Array("epoch,loss\n".utf8), to: "empty.csv")
            for (arguments, code, text) in [
                ("plot --output a.png", 64, "runs"), ("plot a", 64, "--output FILE, or --show"),
                ("plot a --output a.jpg", 64, ".png, .svg or .pdf"),
                ("plot a --output a.png --smooth 1", 64, "below 1"),
                ("plot a --output a.png --theme blue", 64, "light, dark"),
                ("plot absent --output a.png", 1, "absent: could not open"),
                ("plot bad.csv --output a.png", 1, "bad.csv: line 2"),
                ("plot empty.csv --output a.png", 1, "no epoch"),
                ("plot a --output a.png --metrics acuracy", 1, "did you mean 'accuracy'"),
                ("plot a --output absent/a.png", 1, "absent/a.png"), ("plot a --show", 1, "needs a terminal"),
            ] {
                let result = try await place.fovea(arguments)
                #expect(result.code == code && result.errors.contains(text), "\(arguments): \(result)")
            }
            #expect(try place.names().filter { !$0.hasPrefix(".") } == ["a", "bad.csv", "empty.csv"])
        }

        @Test func imagesOfDataSetsAreDrawn() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let result = try await place.fovea("datasets show mnist --output grid.png --images 12")
            #expect(result.code == 0, "\(result)")
            #expect(try place.bytes("grid.png").count > 1_000)
            let none = try await place.fovea("datasets show mnist --output grid.png --images 0")
            #expect(none.code == 64)
        }

        /// What is found first under the library's name is no library.
        @Test func withoutPangoTheErrorSaysWhatToInstall() async throws {
            let place = try Workplace()
            try place.write(Array(Self.table.utf8), to: "a/history.csv")
            try place.write(Array("no library".utf8), to: "lib/libpangocairo-1.0.so.0")
            let result = try await place.shell(
                "LD_LIBRARY_PATH=$PWD/lib exec $fovea plot a --output a.png")
            #expect(
                result.code == 1 && result.errors.contains("apt-get install libpangocairo-1.0-0"), "\(result)"
            )
            #expect(result.errors.contains("pango and cairo"))
            #expect(try place.names().filter { !$0.hasPrefix(".") } == ["a", "lib"])
            // What draws nothing does not need it.
            #expect(try await place.shell("LD_LIBRARY_PATH=$PWD/lib exec $fovea datasets list").code == 0)
        }

        /// Fonts are looked for where fontconfig's file says.
        @Test func withoutFontsTheErrorSaysWhatToInstall() async throws {
            let place = try Workplace()
            try place.write(Array(Self.table.utf8), to: "a/history.csv")
            try place.write(
                Array("<?xml version=\"1.0\"?><fontconfig></fontconfig>".utf8),
                to: "fonts.conf")
            let result = try await place.shell(
                "FONTCONFIG_FILE=$PWD/fonts.conf exec $fovea plot a --output a.png")
            #expect(result.code == 1 && result.errors.contains("no font"), "\(result)")
            #expect(try place.names().filter { !$0.hasPrefix(".") } == ["a", "fonts.conf"])
        }
    }
}
