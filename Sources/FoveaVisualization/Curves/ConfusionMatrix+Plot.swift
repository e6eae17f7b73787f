import FoveaTraining

extension ConfusionMatrix {
    /// A figure of how often examples of each true class, in rows, were taken for each class, in columns. Colours are the shares of
    /// a row, so that rare classes are seen as well as frequent ones; numbers are counts.
    ///
    /// - Parameters:
    ///   - showsShares: whether the numbers are shares of the row in per cent instead of counts; as scikit-learn's
    ///     `normalize="true"`.
    ///   - title: what stands above.
    ///   - theme: which colours there are.
    public func plot(
        showsShares: Bool = false, title: String = "Confusion matrix", theme: Figure.Theme = .light
    ) -> Figure {
        let shares = counts.map { row -> [Double] in
            let sum = row.reduce(0, +)
            // Nothing is known of a class without examples.
            return row.map { sum == 0 ? .nan : Double($0) / Double(sum) }
        }
        let texts = zip(counts, shares).flatMap { counts, shares in
            zip(counts, shares).map { count, share in
                guard showsShares else { return "\(count)" }
                return share.isNaN ? "" : fixedPoint(share * 100, decimals: 1)
            }
        }
        var panel = Panel(
            title: title, xLabel: "predicted class", yLabel: "true class",
            [.matrix(shares, texts: texts, limits: 0...1)])
        // Without any example there would be no number at all.
        if shares.allSatisfy({ $0.allSatisfy(\.isNaN) }) {
            panel.marks = [.matrix(counts.map { $0.map(Double.init) }, limits: 0...1)]
        }
        panel.xTicks = .names(classNames)
        panel.yTicks = .names(classNames)
        panel.colorBar = Panel.ColorBar(label: "share of the true class")
        let side = min(16, max(4.5, 2.4 + 0.42 * Double(counts.count)))
        return Figure([panel], size: (side + 1, side), theme: theme)
    }

    /// A figure of precision, recall and F1 score of each class.
    ///
    /// - Parameters:
    ///   - title: what stands above.
    ///   - theme: which colours there are.
    public func plotClasses(title: String = "Classes", theme: Figure.Theme = .light) -> Figure {
        let rows = classNames.indices.map(Double.init)
        let series: [(String, [Double])] = [
            ("precision", precision), ("recall", recall), ("F1 score", f1Score),
        ]
        var panel = Panel(
            title: title,
            series.enumerated().map { index, series in
                .bars(
                    series.1, x: rows, label: series.0, width: 0.26, offset: 0.27 * Double(index - 1),
                    isHorizontal: true)
            })
        panel.yTicks = .labels(
            zip(classNames, support).map { "\($0) (\($1))" }, at: rows)
        panel.yIsInverted = true
        panel.xLimits = 0...1
        panel.yLimits = -0.6...(Double(classNames.count) - 0.4)
        panel.legend = .outside
        return Figure(
            [panel], size: (7.2, min(100, max(2.5, 1 + 0.32 * Double(classNames.count)))), theme: theme)
    }
}
