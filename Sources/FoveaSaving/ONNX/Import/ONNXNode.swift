#if ProtocolBuffers
    import FoveaGraph

    /// A node of a graph that is read.
    struct ONNXNode {
        /// Its place among the nodes.
        let index: Int
        let operation: String
        let name: String
        var inputs: [String]
        let outputs: [String]
        private let attributes: [String: ONNXAttributeProto]

        init(_ message: ONNXNodeProto, index: Int) throws(ONNXImportProblem) {
            self.index = index
            operation = message.opType
            name = message.name
            inputs = message.input
            outputs = message.output
            attributes = Dictionary(message.attribute.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
            guard message.domain.isEmpty || message.domain == "ai.onnx" else {
                throw problem("operators of the domain \(quoted(message.domain)) are not ONNX's own")
            }
        }

        /// A node that stands for several.
        init(_ operation: String, standingFor node: ONNXNode, inputs: [String], outputs: [String]) {
            index = node.index
            self.operation = operation
            name = node.name
            self.inputs = inputs
            self.outputs = outputs
            attributes = [:]
        }

        /// What it is called in errors.
        var label: String {
            "node \(name.isEmpty ? "\(index)" : quoted(name)) (\(operation.isEmpty ? "without operator" : operation))"
        }

        func problem(_ text: String) -> ONNXImportProblem { ONNXImportProblem("\(label): \(text)") }

        /// The name of an input that need not be there.
        func input(_ place: Int) -> String? {
            inputs.indices.contains(place) && !inputs[place].isEmpty ? inputs[place] : nil
        }

        func requiredInput(_ place: Int) throws(ONNXImportProblem) -> String {
            guard let name = input(place) else { throw problem("it has no input \(place)") }
            return name
        }

        func has(_ name: String) -> Bool { attributes[name] != nil }

        // MARK: Attributes

        func int(_ name: String, _ standard: Int = 0) -> Int {
            attributes[name].map { ONNXConstant.sensible($0.i) } ?? standard
        }

        func float(_ name: String, _ standard: Float) -> Float { attributes[name]?.f ?? standard }
        func ints(_ name: String) -> [Int]? { attributes[name]?.ints.map(ONNXConstant.sensible) }
        func floats(_ name: String) -> [Float]? { attributes[name]?.floats }
        func tensor(_ name: String) -> ONNXTensorProto? { attributes[name]?.t }

        func string(_ name: String, _ standard: String) -> String {
            attributes[name].map { String(decoding: $0.s, as: UTF8.self) } ?? standard
        }

        /// Refuses attributes that change what the operator does in a way that is not followed.
        func checkAttributes(_ known: Set<String>) throws(ONNXImportProblem) {
            if let unknown = attributes.keys.filter({ !known.contains($0) }).min() {
                throw problem("Fovea does not know its attribute \(quoted(unknown))")
            }
        }
    }
#endif
