import FoveaGraph
import Synchronization

/// One call of a layer inside a model.
package struct TracedCall: Sendable {
    package let layer: any Layer
    package let inputs: [Tensor]
    package let outputs: [Tensor]
}

/// Writes down what layers give while one that contains them is called, at any depth. It is found through the task, because
/// `call` is written for graphs and knows nothing of it.
package final class LayerTrace: Sendable {
    @TaskLocal static var current: LayerTrace?

    private let calls = Mutex<[TracedCall]>([])

    func add(_ layer: any Layer, _ inputs: [Tensor], _ outputs: [Tensor]) {
        calls.withLock { $0.append(TracedCall(layer: layer, inputs: inputs, outputs: outputs)) }
    }

    /// Calls a layer and tells of all calls that this causes, each after those inside it.
    ///
    /// - Returns: the calls, also those before one that failed; and the outputs, or why there are none.
    package static func calls(
        of layer: any Layer, for inputs: [Tensor]
    ) -> (calls: [TracedCall], outputs: Result<[Tensor], ShapeError>) {
        let trace = LayerTrace()
        let outputs = $current.withValue(trace) {
            Result { () throws(ShapeError) in try layer.outputs(for: inputs) }
        }
        return (trace.calls.withLock { $0 }, outputs)
    }
}
