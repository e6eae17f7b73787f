#if ProtocolBuffers
    import FoveaGraph

    extension ONNXImporter {
        /// Replaces the nodes that spell out `x · (1 + erf(x / √2)) / 2`, which older versions have no operator for, by one.
        mutating func replaceGelu() throws {
            guard nodes.contains(where: { $0.operation == "Erf" }) else { return }
            var makers: [String: ONNXNode] = [:]
            var readers: [String: [ONNXNode]] = [:]
            for node in nodes {
                for output in node.outputs { makers[output] = node }
                for input in Set(node.inputs) { readers[input, default: []].append(node) }
            }
            var numbers: [String: Float] = [:]
            for (name, constant) in constants where constant.shape.elementCount == 1 {
                numbers[name] = try? constant.number()
            }
            for node in nodes where node.operation == "Constant" {
                if let tensor = node.tensor("value"), let name = node.outputs.first {
                    numbers[name] = try? reader.constant(tensor).number()
                }
            }
            /// The other operand of a node one of whose operands is about a number.
            func operand(_ node: ONNXNode?, _ operation: String, _ number: Float) -> String? {
                guard let node, node.operation == operation, node.inputs.count == 2 else { return nil }
                for place in [0, 1] where operation != "Div" || place == 1 {
                    if let found = numbers[node.inputs[place]], abs(found - number) < 1e-4 {
                        return node.inputs[1 - place]
                    }
                }
                return nil
            }
            func onlyReader(_ name: String?) -> ONNXNode? {
                guard let name, let found = readers[name], found.count == 1 else { return nil }
                return found[0]
            }
            for erf in nodes where erf.operation == "Erf" {
                guard let inner = erf.inputs.first, let scale = makers[inner],
                    let x = operand(scale, "Mul", Float(0.5.squareRoot()))
                        ?? operand(scale, "Div", Float(2.0.squareRoot())),
                    let sum = onlyReader(erf.outputs.first), operand(sum, "Add", 1) == erf.outputs.first,
                    let sumName = sum.outputs.first, let product = onlyReader(sumName),
                    product.operation == "Mul",
                    let other = product.inputs.first(where: { $0 != sumName })
                else { continue }
                var (last, spent) = (product, [erf, sum])
                if onlyReader(inner) != nil { spent.append(scale) }
                if other == x {
                    guard let half = onlyReader(product.outputs.first),
                        operand(half, "Mul", 0.5) == product.outputs.first
                    else { continue }
                    spent.append(product)
                    last = half
                } else {
                    guard let half = makers[other], operand(half, "Mul", 0.5) == x else { continue }
                    if onlyReader(other) != nil { spent.append(half) }
                }
                for node in spent {
                    skip(node)
                    replace(ONNXNode("Identity", standingFor: node, inputs: [], outputs: []))
                }
                replace(ONNXNode("Gelu", standingFor: last, inputs: [x], outputs: last.outputs))
            }
        }
    }
#endif
