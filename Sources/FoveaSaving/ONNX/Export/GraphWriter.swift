#if ProtocolBuffers
    import Foundation
    import FoveaGraph

    /// The nodes and constants of an ONNX graph under construction, each with a name of its own.
    struct ONNXGraphWriter {
        private(set) var nodes: [ONNXNodeProto] = []
        private(set) var initializers: [ONNXTensorProto] = []
        private var taken = Set<String>()
        private var counts: [String: Int] = [:]
        /// Which node makes a value.
        private var makers: [String: Int] = [:]
        private var newNames: [String: String] = [:]

        /// A name that nothing else has: the wish, or the wish with a number.
        mutating func freeName(_ wish: String) -> String {
            if taken.insert(wish).inserted { return wish }
            while true {
                let count = counts[wish, default: 0] + 1
                counts[wish] = count
                if taken.insert("\(wish)_\(count)").inserted { return "\(wish)_\(count)" }
            }
        }

        /// Adds a node with one output, whose name is returned.
        ///
        /// - Parameter owner: the path of the layer that it belongs to.
        mutating func add(
            _ operation: String, _ inputs: [String], _ attributes: [ONNXAttributeProto] = [], owner: String
        ) -> String {
            var node = ONNXNodeProto()
            node.opType = operation
            node.name = freeName(owner.isEmpty ? operation : "\(owner)/\(operation)")
            node.input = inputs
            node.output = [node.name]
            node.attribute = attributes
            makers[node.name] = nodes.count
            nodes.append(node)
            return node.name
        }

        mutating func constant(_ value: TensorValue, named wish: String) -> String {
            let type: ONNXElementType =
                switch value.dtype {
                case .float32: .float32
                case .bfloat16: .bfloat16
                case .int32: .int32
                case .uint8: .uint8
                case .bool: .bool
                }
            return constant(
                value.withUnsafeBytes { Data($0) }, value.shape.dimensions, type, named: wish)
        }

        /// A vector of 64-bit integers, as axes, sizes and places are given.
        mutating func integers(_ numbers: [Int], named wish: String) -> String {
            let bytes = numbers.map { Int64($0).littleEndian }.withUnsafeBytes { Data($0) }
            return constant(bytes, [numbers.count], .int64, named: wish)
        }

        private mutating func constant(
            _ bytes: Data, _ extents: [Int], _ type: ONNXElementType, named wish: String
        ) -> String {
            var tensor = ONNXTensorProto()
            tensor.name = freeName(wish)
            tensor.dims = extents.map { Int64($0) }
            tensor.dataType = type.rawValue
            tensor.rawData = bytes
            initializers.append(tensor)
            return tensor.name
        }

        /// Gives a value a name that was reserved with `freeName`, where a node makes it and it has no such name yet; another
        /// node passes it on otherwise.
        mutating func rename(_ value: String, to name: String) {
            if makers[value] != nil, newNames[value] == nil {
                newNames[value] = name
            } else {
                let copy = add("Identity", [value], owner: "")
                newNames[copy] = name
            }
        }

        /// The nodes with the names that `rename` gave to their values.
        var renamedNodes: [ONNXNodeProto] {
            nodes.map { node in
                var node = node
                node.input = node.input.map { newNames[$0] ?? $0 }
                node.output = node.output.map { newNames[$0] ?? $0 }
                return node
            }
        }
    }

    extension ONNXAttributeProto {
        static func int(_ name: String, _ value: Int) -> ONNXAttributeProto {
            make(name, 2) { $0.i = Int64(value) }
        }

        static func ints(_ name: String, _ values: [Int]) -> ONNXAttributeProto {
            make(name, 7) { $0.ints = values.map { Int64($0) } }
        }

        static func float(_ name: String, _ value: Float) -> ONNXAttributeProto {
            make(name, 1) { $0.f = value }
        }

        static func string(_ name: String, _ value: String) -> ONNXAttributeProto {
            make(name, 3) { $0.s = Data(value.utf8) }
        }

        private static func make(
            _ name: String, _ type: Int32, _ fill: (inout ONNXAttributeProto) -> Void
        ) -> ONNXAttributeProto {
            var attribute = ONNXAttributeProto()
            attribute.name = name
            attribute.type = type
            fill(&attribute)
            return attribute
        }
    }
#endif
