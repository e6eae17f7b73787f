/// A name followed by the settings that differ from the usual ones, such as `huber_delta_2.0` and `auc_curve_pr`; of a
/// truth that usually is false only what it is called, as in `binary_crossentropy_from_logits`.
///
/// - Parameters:
///   - value: what has the settings: its stored properties, in their order.
///   - usual: the same with default settings.
func named(_ name: String, settingsOf value: Any, unlike usual: Any) -> String {
    let settings = zip(Mirror(reflecting: value).children, Mirror(reflecting: usual).children)
    return settings.reduce(name) { name, pair in
        let (setting, usual) = (settingText(pair.0.value), settingText(pair.1.value))
        guard setting != usual, let label = pair.0.label else { return name }
        return name + "_" + snakeCased(label) + (setting == "true" ? "" : "_\(setting)")
    }
}

private func settingText(_ setting: Any) -> String {
    let mirror = Mirror(reflecting: setting)
    switch mirror.displayStyle {
    case .optional: return mirror.children.first.map { settingText($0.value) } ?? "none"
    case .collection: return mirror.children.map { settingText($0.value) }.joined(separator: "_")
    default: return "\(setting)"
    }
}

/// `label_smoothing` of `labelSmoothing`.
private func snakeCased(_ name: String) -> String {
    name.map { $0.isUppercase ? "_" + $0.lowercased() : "\($0)" }.joined()
}

/// `labelSmoothing` of `label_smoothing`.
func camelCased(_ name: String) -> String {
    let words = name.split(separator: "_", omittingEmptySubsequences: false)
    return words.dropFirst().reduce("\(words.first ?? "")") {
        $0 + $1.prefix(1).uppercased() + $1.dropFirst()
    }
}
