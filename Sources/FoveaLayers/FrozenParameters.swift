/// Which parameters of a model were frozen at some time, for calls of its layers later.
package struct FrozenParameters: Sendable {
    @TaskLocal static var current: FrozenParameters?

    private let parameters: Set<ObjectIdentifier>

    /// Those that are frozen now.
    package init(of model: any ModelProtocol) {
        parameters = Set(model.parameters.map(\.parameter).filter(\.isFrozen).map { ObjectIdentifier($0) })
    }

    func contains(_ parameter: Parameter) -> Bool { parameters.contains(ObjectIdentifier(parameter)) }

    /// What layers give when these are frozen and no others.
    package func call<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result
    {
        let result = Self.$current.withValue(self) {
            Swift.Result { () throws(Failure) in try body() }
        }
        return try result.get()
    }
}
