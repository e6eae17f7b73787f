import Foundation
import Fovea

extension Lesson3 {
    /// Where a network has seen the elephants; without their picture or its weights, where ours has seen what it tells.
    func heatMap(otherwise model: Sequential, _ pets: Pets) async throws {
        course.section("What decided")
        if let path = course.data.path("elephant.jpg"), let saved = try await course.data.efficientNetLite0()
        {
            let elephants = try Picture.decode(contentsOf: path)
            try await heatMap(
                of: elephants, try Predictor(saved.model, classNames: saved.classNames), "elephants.png")
        } else {
            print(
                "   without the elephants and their network, the lesson's own decides on a picture of its test"
            )
            let picture = try pets.test.images(0..<1)[0]
            try await heatMap(
                of: picture, try Predictor(model, classNames: pets.classNames), "decided.png")
        }
    }

    private func heatMap(of picture: Picture, _ predictor: Predictor, _ file: String) async throws {
        let answers = try await predictor.classes(of: picture, top: 3)
        for answer in answers { print("   \(answer)") }
        let attribution = try await Explainer(predictor.model).explain(picture, method: .gradCAM)
        var figure = try Figure.images(
            [picture, attribution.overlay(on: picture, opacity: 1), attribution.overlay(on: picture)],
            titles: ["picture", "heat map", answers.first.map { "\($0)" } ?? ""], columns: 3)
        figure.size = (10, 2.8)
        try course.show(figure, file)
    }
}
