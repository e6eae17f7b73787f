import FoveaGraph
import FoveaRuntime

@testable import FoveaPlanner

/// What each kind of call does.
extension PlanInterpreter {
    /// Runs tile by tile, so that a program that reads what it has overwritten shows.
    func run(_ request: ElementwiseRequest) throws {
        let tile = 61
        let shape = Shape(request.extents)
        let strides = shape.rowMajorStrides
        for operand in request.operands where operand.isStored {
            for other in request.operands where !other.isStored && other.value == operand.value {
                guard other.isAliased else { throw Fault("a load of stored memory is not marked") }
            }
        }
        func place(_ operand: Int, _ lane: Int) -> Int {
            let walked = request.operands[operand]
            return zip(zip(strides, request.extents), walked.strides).reduce(walked.offset) {
                $0 + lane / $1.0.0 % $1.0.1 * $1.1
            }
        }
        guard request.program.registerCount <= ElementwiseProgram.registerLimit else {
            throw Fault("registers")
        }
        var sums: [Int: [Int: Double]] = [:]
        for start in stride(from: 0, to: shape.elementCount, by: tile) {
            let lanes = Array(start..<min(start + tile, shape.elementCount))
            var registers = [TensorValue?](repeating: nil, count: request.program.registerCount)
            for instruction in request.program.instructions {
                let inputs = try instruction.reads.map { register in
                    guard let value = registers[register] else { throw Fault("a register is read too early") }
                    return value
                }
                func fill(_ dtype: DType, _ numbers: [Double]) -> TensorValue {
                    TensorValue(shape: [lanes.count], dtype: dtype, doubles: numbers)
                }
                func evaluate(_ rule: some OperationRule, _ dtype: DType) throws -> TensorValue {
                    try rule.evaluate(inputs, TensorType([lanes.count], dtype))
                }
                var result: TensorValue?
                switch instruction {
                case .load(_, let operand):
                    guard let value = request.operands[operand].value else { throw Fault("nothing to load") }
                    let isFloat = plan.values[value].type.dtype.isFloatingPoint
                    let limit = request.operands[operand].limit ?? .max
                    let numbers = lanes.map { lane in
                        let place = place(operand, lane)
                        return place < limit ? load(value, place) : 0
                    }
                    result = fill(isFloat ? .float32 : .int32, numbers)
                case .store(let operand, _):
                    guard let value = request.operands[operand].value else { throw Fault("nowhere to store") }
                    for (lane, number) in zip(lanes, inputs[0].doubles) {
                        store(number, value, place(operand, lane))
                    }
                case .sum(let operand, _, _):
                    for (lane, number) in zip(lanes, inputs[0].doubles) {
                        sums[operand, default: [:]][place(operand, lane), default: 0] += number
                    }
                case .place(_, let operand): result = fill(.int32, lanes.map { Double(place(operand, $0)) })
                case .constant(_, let number): result = fill(.float32, lanes.map { _ in Double(number) })
                case .integerConstant(_, let number): result = fill(.int32, lanes.map { _ in Double(number) })
                case .floatFromInteger: result = fill(.float32, inputs[0].doubles)
                case .integerFromFloat: result = fill(.int32, inputs[0].doubles)
                case .roundToBFloat16: result = fill(.float32, fill(.bfloat16, inputs[0].doubles).doubles)
                case .unary(let kind, _, _, let isInteger):
                    result = try evaluate(kind, isInteger ? .int32 : .float32)
                case .binary(let kind, _, _, _, let isInteger):
                    result = try evaluate(kind, isInteger ? .int32 : .float32)
                case .comparison(let kind, _, _, _, _): result = try evaluate(kind, .int32)
                case .select: result = try evaluate(Select(), inputs[1].dtype)
                case .random(let distribution, _, _, let key, let stream):
                    guard let value = request.operands[key].value else { throw Fault("no key") }
                    let key = fill4(read(value))
                    let last = Int(inputs[0].integers.max() ?? 0) + 1
                    let rule = Random(distribution, shape: [last], stream: .numbered(stream))
                    let all = try rule.evaluate([key], TensorType([last], .float32)).doubles
                    result = fill(.float32, inputs[0].integers.map { all[Int($0)] })
                }
                if let register = instruction.writes { registers[register] = result }
            }
        }
        for case .sum(let operand, _, let divisor) in request.program.instructions {
            guard let value = request.operands[operand].value else { throw Fault("nowhere to add") }
            let limit = request.operands[operand].limit ?? .max
            for (place, sum) in sums[operand] ?? [:] where place < limit {
                store(sum / Double(divisor), value, place)
            }
        }
    }

    private func fill4(_ words: [Double]) -> TensorValue { TensorValue(words.map { Int32($0) }) }

    func run(_ request: ReductionRequest, _ source: Plan.ValueID, _ destination: Plan.ValueID) {
        let kept = places(.dense(request.kept))
        let reduced = places(.dense(request.reduced))
        let results = kept.map { start -> Double in
            let numbers = reduced.map { load(source, start + $0) }
            switch request.kind {
            case .combine(.sum): return numbers.reduce(0, +)
            case .combine(.mean): return numbers.reduce(0, +) / Double(numbers.count)
            case .combine(.max): return numbers.max() ?? -.infinity
            case .argMax: return Double(numbers.firstIndex(of: numbers.max() ?? 0) ?? 0)
            }
        }
        // What is kept may have padding, as the result then has.
        for (place, result) in results.enumerated() { store(result, destination, place) }
    }

    func run(
        _ request: GatherRequest, _ source: Plan.ValueID, _ indices: Plan.ValueID, _ destination: Plan.ValueID
    ) throws {
        let table: Shape = [request.groups, request.outer, request.extent, request.inner]
        let slices: Shape = [request.groups, request.outer, request.count, request.inner]
        let list: Shape = [request.groups, request.count]
        let dtype = plan.values[source].type.dtype
        let indices = TensorValue(
            shape: list, dtype: .int32, doubles: try readAll(indices, list).doubles)
        if request.isScatter {
            let rule = ScatterAdd(axis: 2, extent: request.extent, sharedAxes: 1)
            let result = rule.evaluate([try readAll(source, slices), indices], TensorType(table, dtype))
            write(result.doubles, destination)
        } else {
            let result = Gather(axis: 2, sharedAxes: 1).evaluate(
                [try readAll(source, table), indices], TensorType(slices, dtype))
            write(result.doubles, destination)
        }
    }

    /// A forward convolution with what is fused with it.
    private func convolved(
        _ request: ConvolutionRequest, _ images: TensorValue, _ weights: TensorValue, _ bias: [Double]?
    ) -> [Double] {
        var y = request.convolution.evaluate([images, weights], TensorType(request.output, .float32)).doubles
        if let bias {
            for place in y.indices { y[place] += bias[place % bias.count] }
        }
        if request.hasReLU {
            y = y.map { min(max($0, 0), request.ceiling.map(Double.init) ?? .infinity) }
        }
        return y
    }

    func run(
        _ request: ExpandedDepthwiseRequest, _ kernel: any PreparedKernel,
        _ id: (Plan.Operand.Role) throws -> Plan.ValueID
    ) throws {
        guard let kernel = kernel as? any ExpandedDepthwiseKernel else {
            throw Fault("no kernel for an expanded depthwise convolution")
        }
        let expected: [(Plan.Operand.Role, Layout)] = [
            (.source, kernel.imagesLayout), (.weights, kernel.expansionLayout),
            (.depthwiseWeights, kernel.depthwiseLayout), (.destination, kernel.outputLayout),
        ]
        for (role, layout) in expected where plan.values[try id(role)].layout != layout {
            throw Fault("\(role) of an expanded convolution is not laid out as it was chosen")
        }
        let (first, second) = (request.expansion, request.depthwise)
        let expanded = convolved(
            first, try readAll(id(.source), first.images), try readAll(id(.weights), first.kernel),
            first.hasBias ? try read(id(.bias)) : nil)
        let images = TensorValue(shape: second.images, dtype: .float32, doubles: expanded)
        write(
            convolved(
                second, images, try readAll(id(.depthwiseWeights), second.kernel),
                second.hasBias ? try read(id(.depthwiseBias)) : nil), try id(.destination))
    }

    func run(
        _ request: ConvolutionRequest, _ kernel: any PreparedKernel,
        _ id: (Plan.Operand.Role) throws -> Plan.ValueID
    ) throws {
        guard let kernel = kernel as? any ConvolutionKernel else {
            throw Fault("no kernel for a convolution")
        }
        let expected: [(Plan.Operand.Role, Layout)] = [
            (.source, kernel.imagesLayout), (.weights, kernel.kernelLayout),
            (.destination, kernel.outputLayout),
        ]
        for (role, layout) in expected where plan.values[try id(role)].layout != layout {
            throw Fault("\(role) of a convolution is not laid out as it was chosen")
        }
        let rule = request.convolution
        switch request.direction {
        case .forward:
            let y = convolved(
                request, try readAll(id(.source), request.images), try readAll(id(.weights), request.kernel),
                request.hasBias ? try read(id(.bias)) : nil)
            guard let pooling = request.pooling else { return write(y, try id(.destination)) }
            let images = TensorValue(shape: request.output, dtype: .float32, doubles: y)
            let pooled = MaxPool(pooling.window, isRectified: pooling.isRectified)
            write(
                pooled.evaluate([images], TensorType(pooling.output, .float32)).doubles, try id(.destination))
            if pooling.keepsWinners { keepWinners(of: images, try id(.winners)) }
        case .inputGradient:
            let inputs = [
                try readAll(id(.weights), request.kernel), try readAll(id(.destination), request.output),
            ]
            let gradient = ConvolutionInputGradient(convolution: rule, inputSize: request.images.imageSize)
            write(
                gradient.evaluate(inputs, TensorType(request.images, .float32)).doubles, try id(.source))
        case .kernelGradient:
            var upstream = try readAll(id(.destination), request.pooling?.output ?? request.output)
            if let pooling = request.pooling {
                let gradient = MaxPoolGradient(pooling.window, isRectified: pooling.isRectified)
                upstream = gradient.evaluate(
                    [try imagesWithWinners(id(.winners)), upstream], TensorType(request.output, .float32))
            }
            let inputs = [try readAll(id(.source), request.images), upstream]
            let size = Size2D(request.kernel[0], request.kernel[1])
            let gradient = ConvolutionKernelGradient(convolution: rule, kernelSize: size)
            write(
                gradient.evaluate(inputs, TensorType(request.kernel, .float32)).doubles, try id(.weights))
            if request.hasBias {
                var sums = [Double](repeating: 0, count: request.output.channels)
                for (place, number) in inputs[1].doubles.enumerated() { sums[place % sums.count] += number }
                write(sums, try id(.bias))
            }
        }
    }

    /// Remembers what was pooled, and fills the memory that tells its winners with bytes that are known.
    private func keepWinners(of images: TensorValue, _ kept: Plan.ValueID) {
        winners[kept] = images
        for place in 0..<plan.values[kept].byteCount { store(Double(place % 251), kept, place) }
    }

    private func imagesWithWinners(_ kept: Plan.ValueID) throws -> TensorValue {
        guard let images = winners[kept],
            (0..<plan.values[kept].byteCount).allSatisfy({ load(kept, $0) == Double($0 % 251) })
        else { throw Fault("the winners are gone") }
        return images
    }

    func run(_ request: PoolingRequest, _ id: (Plan.Operand.Role) throws -> Plan.ValueID) throws {
        let (source, destination) = (try id(.source), try id(.destination))
        guard plan.values[source].layout == request.imagesLayout,
            plan.values[destination].layout == request.outputLayout
        else { throw Fault("pooled images are not laid out as asked") }
        let images = TensorType(request.images, .float32)
        let output = TensorType(request.output, .float32)
        switch (request.kind, request.isGradient) {
        case (.max(let isRectified), false):
            let x = try readAll(source, request.images)
            write(
                MaxPool(request.window, isRectified: isRectified).evaluate([x], output).doubles, destination)
            if request.keepsWinners { keepWinners(of: x, try id(.winners)) }
        case (.max(let isRectified), true):
            let inputs = [try imagesWithWinners(id(.winners)), try readAll(destination, request.output)]
            let gradient = MaxPoolGradient(request.window, isRectified: isRectified)
            write(gradient.evaluate(inputs, images).doubles, source)
        case (.average(let countsPadding), let isGradient):
            let pool = AveragePool(request.window, countsPadding: countsPadding)
            if isGradient {
                let gradient = AveragePoolGradient(pool, inputSize: request.images.imageSize)
                write(gradient.evaluate([try readAll(destination, request.output)], images).doubles, source)
            } else {
                write(pool.evaluate([try readAll(source, request.images)], output).doubles, destination)
            }
        }
    }

    func run(
        _ request: NormalizationRequest, _ id: (Plan.Operand.Role) throws -> Plan.ValueID
    ) throws {
        let images = TensorType(request.images, .float32)
        let vector = TensorType([request.images.channels], .float32)
        let (source, destination) = (try id(.source), try id(.destination))
        guard [source, destination].allSatisfy({ plan.values[$0].layout == request.layout }) else {
            throw Fault("normalized images are not laid out as asked")
        }
        func vectorValue(_ role: Plan.Operand.Role) throws -> TensorValue {
            TensorValue(shape: vector.shape, dtype: .float32, doubles: try read(id(role)))
        }
        let x = try readAll(source, request.images)
        let (scale, offset) = (try vectorValue(.scale), try vectorValue(.offset))
        func rule(_ result: BatchNorm.Result) -> BatchNorm {
            BatchNorm(
                result, axis: images.shape.rank - 1, epsilon: request.epsilon,
                isRectified: request.isRectified)
        }
        if !request.isGradient {
            let inputs = [x, scale, offset]
            write(rule(.normalized).evaluate(inputs, images).doubles, destination)
            write(rule(.mean).evaluate(inputs, vector).doubles, try id(.mean))
            write(rule(.variance).evaluate(inputs, vector).doubles, try id(.variance))
            return
        }
        // A kernel takes the moments from the forward call.
        for (role, result) in [(Plan.Operand.Role.mean, BatchNorm.Result.mean), (.variance, .variance)] {
            let expected = rule(result).evaluate([x, scale, offset], vector).floats
            guard try read(id(role)).map({ Float($0) }) == expected else { throw Fault("\(role) is gone") }
        }
        let inputs = [x, scale, offset, try readAll(destination, request.images)]
        let forward = rule(.normalized)
        for (role, result, type) in [
            (Plan.Operand.Role.sourceGradient, BatchNormGradient.Result.x, images),
            (.scaleGradient, .scale, vector), (.offsetGradient, .offset, vector),
        ] {
            let gradient = BatchNormGradient(result, of: forward).evaluate(inputs, type)
            write(gradient.doubles, try id(role))
        }
    }

    func run(
        _ request: MatMulRequest, _ call: Plan.Call, _ id: (Plan.Operand.Role) throws -> Plan.ValueID
    ) throws {
        let (a, b, c) = (try id(.source), try id(.weights), try id(.destination))
        let bias = request.hasBias ? try read(id(.bias)) : nil
        func place(_ matrix: MatMulRequest.Matrix, _ batch: Int, _ row: Int, _ column: Int) -> Int {
            batch * matrix.batchStride + row * matrix.rowStride + column * matrix.columnStride
        }
        for batch in 0..<request.batch {
            for row in 0..<request.rows {
                for column in 0..<request.columns {
                    var sum = bias?[column] ?? 0
                    for k in 0..<request.inner {
                        sum +=
                            load(a, place(request.a, batch, row, k))
                            * load(b, place(request.b, batch, k, column))
                    }
                    store(request.hasReLU ? max(sum, 0) : sum, c, place(request.c, batch, row, column))
                }
            }
        }
    }
}
