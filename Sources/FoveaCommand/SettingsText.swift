import ArgumentParser
import Foundation
import Fovea

/// A name with settings, as `sgd,momentum=0.9,nesterov=true` on the command line.
struct SettingsText {
    let name: String
    private(set) var settings: [String: String] = [:]
    /// The option that it was given to, for messages.
    private let option: String

    /// - Throws: `ValidationError` when a setting has no name or comes twice.
    init(_ text: String, of option: String) throws {
        self.option = option
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        name = String(parts.first ?? "")
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
                throw ValidationError(
                    "\(option): '\(part)' must be a setting and its value, such as momentum=0.9")
            }
            guard settings.updateValue(pair[1], forKey: pair[0]) == nil else {
                throw ValidationError("\(option): '\(pair[0])' is given twice")
            }
        }
    }

    /// - Throws: `ValidationError` for a setting that is none of those known.
    func check(_ known: [String]) throws {
        for key in settings.keys.sorted() where !known.contains(key) {
            throw ValidationError(unknown("setting of \(option) \(name):", key, among: known))
        }
    }

    /// A number that was given, or the usual one.
    func number(_ key: String, usually usual: Double) throws -> Double {
        guard let text = settings[key] else { return usual }
        guard let number = Double(text), number.isFinite else {
            throw ValidationError("\(option): \(key) must be a number, not '\(text)'")
        }
        return number
    }
}

/// The optimizer that `--optimizer` names, with Keras's settings but for those given.
///
/// - Throws: `ValidationError` for an unknown name or setting and for values out of range.
func parsedOptimizer(_ text: String, learningRate: Double?, weightDecay: Double?) throws -> any Optimizer {
    let text = try SettingsText(text, of: "--optimizer")
    let types = builtInOptimizers
    guard let type = types.first(where: { $0.name == text.name }) else {
        throw ValidationError(unknown("optimizer", text.name, among: types.map { $0.name }))
    }
    var optimizer = try withSettings(type, text)
    if let learningRate { optimizer.learningRate = learningRate }
    if let weightDecay { optimizer.weightDecay = weightDecay }
    do { try optimizer.checkSettings() } catch { throw ValidationError("--optimizer: \(error)") }
    return optimizer
}

/// An optimizer's usual settings as JSON, in which those given are replaced: so every optimizer has all of its settings here.
private func withSettings<Kind: Optimizer>(_ type: Kind.Type, _ text: SettingsText) throws -> any Optimizer {
    let usual = type.init()
    var settings =
        try JSONSerialization.jsonObject(with: JSONEncoder().encode(usual)) as? [String: Any] ?? [:]
    // What is nil by default is not in the JSON.
    let known = Mirror(reflecting: usual).children.compactMap(\.label)
    try text.check(known)
    for (key, value) in text.settings {
        if let number = Double(value) {
            settings[key] = number == number.rounded() && abs(number) < 1e15 ? Int(number) as Any : number
        } else if let truth = Bool(value) {
            settings[key] = truth
        } else {
            throw ValidationError("--optimizer: \(key) must be a number, true or false, not '\(value)'")
        }
    }
    do {
        return try JSONDecoder().decode(type, from: JSONSerialization.data(withJSONObject: settings))
    } catch {
        throw ValidationError("--optimizer \(text.name): its settings do not fit: \(error)")
    }
}
