#if ProtocolBuffers
    extension ONNXFile {
        static func contents(
            _ bytes: [UInt8], file: String
        ) throws -> (metadata: [(name: String, value: String)], tensors: [StoredTensor]) {
            let message = try message(bytes, file: file)
            let graph = message.graph
            var reader = ONNXTensorReader(file: file)
            var tensors: [StoredTensor] = []
            for tensor in graph.initializer { tensors.append(try reader.tensor(tensor)) }

            var metadata: [(name: String, value: String)] = []
            let producer = [message.producerName, message.producerVersion].filter { !$0.isEmpty }
            if !producer.isEmpty { metadata.append(("producer", producer.joined(separator: " "))) }
            metadata.append(("format version", "\(message.irVersion)"))
            let sets = message.opsetImport.map { set in
                (set.domain.isEmpty ? "" : "\(set.domain) ") + "\(set.version)"
            }
            metadata.append(("operator set", sets.joined(separator: ", ")))
            let own = Set(tensors.map(\.name))
            for (name, values) in [
                ("input", graph.input.filter { !own.contains($0.name) }), ("output", graph.output),
            ] {
                metadata += values.map { (name, "\($0.name) \(shape(of: $0))") }
            }
            var counts: [String: Int] = [:]
            for node in graph.node { counts[node.opType, default: 0] += 1 }
            let nodes = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            metadata.append(("nodes", nodes.map { "\($0.value) \($0.key)" }.joined(separator: ", ")))
            metadata += message.metadataProps.map { ($0.key, $0.value) }
            return (metadata, tensors)
        }

        /// The extents, with names for those that are open.
        private static func shape(of value: ONNXValueInfoProto) -> String {
            let extents = value.type.tensorType.shape.dim.map { extent in
                extent.hasDimValue ? "\(extent.dimValue)" : extent.dimParam.isEmpty ? "?" : extent.dimParam
            }
            return "[\(extents.joined(separator: ", "))]"
        }
    }
#endif
