import FoveaGraph

/// The data sets that are known by name.
public enum DatasetName: String, CaseIterable, Codable, Sendable {
    case mnist
    case fashionMNIST = "fashion-mnist"
    case cifar10 = "cifar-10"
    case cifar100 = "cifar-100"
    /// CIFAR-100 by the 20 groups that its classes form.
    case cifar100Coarse = "cifar-100-coarse"
    /// SVHN's cropped digits as OpenML publishes them, in one ARFF file.
    case svhn
    /// SVHN's cropped digits as its authors publish them, in two MATLAB files of a fifth of the size.
    case svhnMAT = "svhn-mat"
    case shapes

    /// The data set with this name.
    ///
    /// - Throws: `DatasetError` with the nearest known name, or all of them, when there is none with that name.
    public init(named name: String) throws(DatasetError) {
        if let known = DatasetName(rawValue: name) {
            self = known
            return
        }
        let advice = adviceOnName(name, among: DatasetName.allCases.map(\.rawValue), heading: "known:")
        throw DatasetError(.unknownName, "unknown data set '\(name)'; \(advice)")
    }
}

extension DatasetName {
    /// The name of the folder with its files; data sets that share files share it.
    var folder: String { self == .cifar100Coarse ? DatasetName.cifar100.rawValue : rawValue }
}
