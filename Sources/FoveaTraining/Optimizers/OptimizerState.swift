import FoveaGraph

/// What an optimizer remembers between steps.
///
/// The variables are named after the optimizer and what they belong to, such as `adam/conv2d/kernel/momentum`.
public final class OptimizerState: Sendable {
    /// The number of steps taken, `int32`.
    public let iterations: Variable
    let scalars: [Variable]
    let slots: [Variable: [Variable]]
    let accumulation: GradientAccumulation?
    let averages: WeightAverages?
    /// Every variable of the state, the same order for the same model.
    public let variables: [Variable]

    /// The state before the first step.
    ///
    /// With `accumulation` k every run of the updates only adds its gradients to a sum, and the k-th takes a step with their
    /// mean and begins anew: for a loss that is a mean over the batch the same as one batch of k times the size, with the
    /// memory of one. Between steps trained variables, slots and `iterations` stay as they are, and constraints have nothing
    /// to do. (In Keras with `gradient_accumulation_steps` schedules count batches, and constraints are applied after each.)
    ///
    /// - Parameters:
    ///   - optimizer: what the state belongs to.
    ///   - trained: the variables to be trained.
    ///   - accumulation: how many runs make one step, at least 1, as Keras's `gradient_accumulation_steps`. Checked by
    ///     `Optimizer.updates`.
    ///   - averaging: whether and how averages of the variables are kept; none when nil.
    public init(
        _ optimizer: some Optimizer, for trained: [Variable], accumulation: Int = 1,
        averaging: WeightAveraging? = nil
    ) {
        let name = type(of: optimizer).name
        func variable(_ slot: OptimizerSlot, of owner: String, _ shape: Shape) -> Variable {
            Variable(
                name: "\(owner)/\(slot.name)",
                initial: TensorValue(repeating: slot.initialValue, shape: shape))
        }
        iterations = Variable(
            name: "\(name)/iterations", initial: TensorValue(shape: .scalar, dtype: .int32, doubles: [0]))
        scalars = optimizer.scalars.map { variable($0, of: name, .scalar) }
        var slots: [Variable: [Variable]] = [:]
        for trained in trained {
            slots[trained] = zip(optimizer.slots, optimizer.slotShapes(for: trained.shape)).map {
                variable($0, of: "\(name)/\(trained.name)", $1)
            }
        }
        self.slots = slots
        self.accumulation =
            accumulation == 1
            ? nil : GradientAccumulation(runs: accumulation, for: trained, optimizerName: name)
        averages = averaging.map { WeightAverages($0, for: trained, optimizerName: name) }
        variables =
            [iterations] + scalars + trained.flatMap { slots[$0] ?? [] }
            + (self.accumulation?.variables ?? []) + (averages?.variables ?? [])
    }
}
