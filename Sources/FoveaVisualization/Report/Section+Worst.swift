import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaPictures
import FoveaTraining

extension RunReport.Section {
    /// The pictures whose answers were the most wrong, by the loss, each beside the same with what decided for the answer
    /// (Grad-CAM), where the model has convolutions.
    ///
    /// - Parameters:
    ///   - count: how many, from 1 to 100.
    ///   - report: the answers.
    ///   - examples: the data set that the answers are on.
    ///   - model: what answered.
    ///   - name: what the example of a number is called.
    /// - Throws: `VisualizationError` for a count out of range; what computing an example throws.
    public static func worst(
        _ count: Int = 12, of report: ClassificationReport, examples: Dataset<Example>,
        model: any ModelProtocol, name: (Int) -> String = { "example \($0)" }
    ) async throws -> RunReport.Section {
        guard (1...100).contains(count) else {
            throw VisualizationError(.invalidArgument, "1 to 100 pictures are shown, not \(count)")
        }
        let title = "The most wrong"
        let worst = report.worst(count)
        guard !worst.isEmpty else {
            return RunReport.Section(title, [.note("No example was answered.")])
        }
        var heat = try HeatMaps(model)
        var exhibits: [RunReport.Exhibit] = []
        let names = report.confusion.classNames
        for answer in worst {
            let input = try examples.element(at: answer.index).inputs[0]
            let picture: Picture
            do { picture = try shown(input) } catch {
                return RunReport.Section(
                    title, [.note("Inputs of shape \(input.shape) are no pictures, so none are shown.")])
            }
            let pictures = try await [picture] + heat.overlay(on: picture, input, answer.predicted)
            let share = fixedPoint(answer.probability * 100, decimals: 1)
            exhibits.append(
                RunReport.Exhibit(
                    pictures, caption: "\(names[answer.predicted]) \(share) %",
                    detail: (answer.isRight ? "" : "is \(names[answer.label]); ") + name(answer.index),
                    isRight: answer.isRight))
        }
        let wrong = report.answers.count { !$0.isRight }
        let most =
            wrong == 0
            ? "No answer was wrong; these were the least sure."
            : "Of \(report.answers.count) answers \(wrong) were wrong. These were the most wrong."
        let heatText =
            heat.problem
            ?? "Beside each picture stands what decided for the answer (Grad-CAM): what counted most is red."
        let heatContent: RunReport.Content = heat.problem == nil ? .text(heatText) : .note(heatText)
        return RunReport.Section(title, [.text(most), heatContent, .exhibits(exhibits)])
    }

    /// An input of a model as it can be looked at.
    private static func shown(_ input: TensorValue) throws -> Picture {
        if case .uint8 = input.storage { return try Picture(input) }
        return try Picture(input, white: 1)
    }
}

/// Maps of what decided, as long as there are some.
private struct HeatMaps {
    private var explainer: Explainer?
    /// Why there are none.
    private(set) var problem: String?

    init(_ model: any ModelProtocol) throws {
        do { explainer = try Explainer(model) } catch { fail(error) }
    }

    /// The picture with the map over it, large enough for the map to be smooth; nothing where there is no map.
    mutating func overlay(
        on picture: Picture, _ input: TensorValue, _ predicted: Int
    ) async throws -> [Picture] {
        guard let explainer else { return [] }
        do {
            let batch = try input.reshaped(to: Shape([1] + input.shape.dimensions))
            let attribution = try await explainer.explain([batch], class: predicted)[0]
            let longest = max(picture.height, picture.width)
            let scale = (112 + longest - 1) / longest
            let enlarged =
                scale > 1
                ? try picture.resized(
                    height: picture.height * scale, width: picture.width * scale, method: .nearest) : picture
            return [try attribution.overlay(on: enlarged)]
        } catch {
            fail(error)
            return []
        }
    }

    private mutating func fail(_ error: any Error) {
        explainer = nil
        if case .noConvolution? = error as? InsightError {
            problem = "The model has no convolution, so there are no maps of what decided."
        } else {
            problem = "There are no maps of what decided: \(error)."
        }
    }
}
