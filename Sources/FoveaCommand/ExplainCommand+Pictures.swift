import ArgumentParser
import Foundation
import Fovea

extension ExplainCommand {
    /// The picture as the model takes it.
    private func picture(for saved: SavedModel) throws -> (Picture, TensorValue) {
        let form: PictureForm
        do { form = try Predictor(saved).pictureForm } catch { throw CommandError("\(file): \(error)") }
        let picture = try form.picture(at: picture ?? "")
        return (picture, try form.value(picture))
    }

    /// The picture, and the same with what decided.
    func decision(_ saved: SavedModel) async throws -> Figure {
        let (picture, _) = try picture(for: saved)
        let number = try className.map { try classNumber($0, saved.classNames) }
        let attribution = try await Explainer(saved.model).explain(
            picture, method: chosenMethod, class: number, layer: layer)
        let name = className(attribution.classIndex, saved.classNames)
        let answer = "\(visible(name)) \(String(format: "%.1f", attribution.probability * 100)) %"
        say(answer)
        var drawn = try Figure.images(
            [picture, attribution.overlay(on: picture)],
            titles: [answer, attribution.method.name + (attribution.layer.map { " of \($0)" } ?? "")],
            columns: 2, theme: figure.chosenTheme)
        drawn.size = (9, 5)
        return drawn
    }

    /// The feature maps of layers, one grid below the other.
    func featureMaps(_ saved: SavedModel) async throws -> Figure {
        let paths = (layers ?? "").split(separator: ",").map {
            String($0.trimmingPrefix(while: \.isWhitespace))
        }
        guard !paths.isEmpty else { throw ValidationError("--layers: name at least one layer") }
        let (_, value) = try picture(for: saved)
        let batch = try value.reshaped(to: Shape([1] + value.shape.dimensions))
        let maps = try await saved.model.featureMaps(of: paths, for: [batch])
        let theme = try figure.chosenTheme
        var grids: [Figure] = []
        for path in paths {
            if let value = maps[path] { grids += try Figure.featureMaps(value, title: path, theme: theme) }
        }
        return Figure.stacked(grids, theme: theme)
    }
}
