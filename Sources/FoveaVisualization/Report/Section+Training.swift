import FoveaLayers
import FoveaTraining

extension RunReport.Section {
    /// Loss and metrics of each epoch.
    public static func curves(of history: History) -> RunReport.Section {
        guard !history.epochs.isEmpty else {
            return RunReport.Section(
                "Curves", [.note("No epoch was completed, so there are no curves.")])
        }
        do {
            _ = try history.plot()
        } catch { return RunReport.Section("Curves", [.note("There are no curves: \(error).")]) }
        return RunReport.Section(
            "Curves",
            [
                .figure(description: "Loss and metrics of \(history.epochs.count) epochs") {
                    try history.plot(theme: $0)
                }
            ])
    }

    /// The layers of a model with their output shapes and numbers of parameters, those of models inside too.
    public static func layers(of model: any ModelProtocol) -> RunReport.Section {
        RunReport.Section("Layers", [.lines(model.summary(expandNested: true))])
    }

    /// The kernels of the first convolution; nil for models without, or whose first convolution does not look at pictures.
    public static func filters(of model: any ModelProtocol) async -> RunReport.Section? {
        guard let (layer, kernel) = try? await model.filters(), [1, 3].contains(kernel.shape[2]),
            kernel.shape[0] * kernel.shape[1] > 1
        else { return nil }
        return RunReport.Section(
            "First filters",
            [
                .text(
                    "What the first convolution, \(layer), looks for in a picture. "
                        + (kernel.shape[2] == 1
                            ? "Red are numbers above zero, blue those below." : "Grey is zero.")),
                .figure(description: "The kernels of \(layer)") { theme in
                    var figure = try Figure.filters(of: kernel)
                    figure.theme = theme
                    return figure
                },
            ])
    }
}
