import ArgumentParser
import Fovea

/// What `--head` describes: how a base's features become classes.
struct HeadLayers {
    private enum Part {
        case dense(Int)
        case dropout(Double)
    }

    private let parts: [Part]
    private let isFlat: Bool

    /// - Throws: `ValidationError` for a text that describes no head.
    init(_ text: String?) throws {
        var parts: [Part] = []
        var isFlat = false
        for (index, word) in (text?.split(separator: ",", omittingEmptySubsequences: false) ?? [])
            .enumerated()
        {
            let pair = word.split(separator: ":", omittingEmptySubsequences: false)
            if index == 0, word == "flatten" {
                isFlat = true
            } else if pair.count == 2, pair[0] == "dense", let units = Int(pair[1]),
                (1...1_000_000).contains(units)
            {
                parts.append(.dense(units))
            } else if pair.count == 2, pair[0] == "dropout", let rate = Double(pair[1]),
                (0..<1).contains(rate)
            {
                parts.append(.dropout(rate))
            } else {
                throw ValidationError(
                    "--head: '\(word)' is none of dense:UNITS, dropout:RATE (from 0 to below 1) and, as the first, flatten"
                )
            }
        }
        self.parts = parts
        self.isFlat = isFlat
    }

    /// Whether classes are told apart by weighing features alone.
    var isLinear: Bool { !parts.contains { if case .dense = $0 { true } else { false } } }

    /// Of images of features one vector.
    var pooling: any Layer {
        isFlat ? Flatten(name: nil) : GlobalAveragePooling2D(name: nil)
    }

    /// The layers from that to the probability of each class.
    ///
    /// The weights of a linear head are zero at first: random ones in the many directions that a few pictures say nothing of
    /// would stay there.
    ///
    /// - Parameter taken: names that other layers of the model have.
    func layers(classes: Int, taken: Set<String>) -> [any Layer] {
        let name = (0...).lazy.map { $0 == 0 ? "predictions" : "predictions_\($0)" }.first {
            !taken.contains($0)
        }
        return parts.map { part -> any Layer in
            switch part {
            case .dense(let units): Dense(units: units, activation: .relu)
            case .dropout(let rate): Dropout(rate: rate)
            }
        } + [
            Dense(
                units: classes, activation: .softmax,
                kernelInitializer: isLinear ? .zeros : .glorotUniform, name: name)
        ]
    }
}
