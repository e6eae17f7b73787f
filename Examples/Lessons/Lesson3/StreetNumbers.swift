import Foundation
import Fovea

extension Lesson3 {
    /// A grey street-number, 32×32 numbers from 0 to 1: one of SVHN's, else a drawn one.
    func streetNumber() async throws -> TensorValue {
        course.section("Street-numbers")
        let picture: Picture
        if let found = try await course.data.streetNumbers() {
            try course.show(
                Figure.images(of: found.train, count: 12, classNames: found.classNames, columns: 6),
                "street-numbers.png")
            picture = try found.train[0].image
        } else {
            print("   in their place a street-number is drawn")
            picture = try drawnNumber("274")
        }
        let grey = picture.grey()
        try course.show(
            Figure.images([picture, grey], titles: ["RGB", "grey"], columns: 2), "street-number.png")
        return try TensorValue(
            shape: [grey.height, grey.width], grey.pixels.map { Float($0) / 255 })
    }

    /// A number on an enamelled plate, as a figure draws it.
    private func drawnNumber(_ digits: String) throws -> Picture {
        var panel = Panel([
            .image(try Picture(height: 1, width: 1, color: .init(red: 0x27, green: 0x48, blue: 0x8F))),
            .text(digits, x: 0, y: 0, size: 50, isBold: true, color: .white),
        ])
        panel.hasAxes = false
        let picture = try Figure([panel], size: (1.6, 1.6), dpi: 100).picture()
        return try picture.centerCropped(height: 96, width: 96).resized(height: 32, width: 32)
    }
}
