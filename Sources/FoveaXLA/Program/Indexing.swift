import FoveaGraph

extension FunctionText {
    mutating func oneHot(_ rule: OneHot, _ indices: Value, _ result: ValueType) -> Value {
        let places = iota(along: result.rank - 1, result.extents)
        let wanted = broadcast(indices, axes: Array(0..<indices.type.rank), result.extents)
        return convert(compare("EQ", places, wanted), result.element)
    }

    mutating func gather(_ rule: Gather, _ table: Value, _ indices: Value, _ result: ValueType) -> Value {
        let extent = table.type.extents[rule.axis]
        if extent == 0 || result.count == 0 { return filled(0, result) }
        let places = IndexedAxes(
            axis: rule.axis, sharedAxes: rule.sharedAxes, indices: indices.type.rank, slices: result.rank)
        var sizes = table.type.extents
        for axis in places.shared + [rule.axis] { sizes[axis] = 1 }
        let batching =
            places.shared.isEmpty
            ? ""
            : "operand_batching_dims = \(places.shared), start_indices_batching_dims = \(places.shared), "
        let picked = add(
            "\"stablehlo.gather\"(\(table.name), \(indices.name)) <{dimension_numbers = #stablehlo.gather<"
                + "offset_dims = \(places.ofSlices), collapsed_slice_dims = [\(rule.axis)], \(batching)"
                + "start_index_map = [\(rule.axis)], index_vector_dim = \(indices.type.rank)>, "
                + "slice_sizes = array<i64: \(sizes.map(String.init).joined(separator: ", "))>, "
                + "indices_are_sorted = false}> : \(signature([table, indices], result))", result)
        // An index outside the table would pick what is nearest.
        let lower = compare("GE", indices, filled(0, indices.type))
        let upper = compare("LT", indices, filled(Float(extent), indices.type))
        let isInside = elementwise("and", lower, upper)
        let mask = broadcast(isInside, axes: places.ofIndices, result.extents)
        return select(mask, picked, filled(0, result))
    }

    mutating func scatterAdd(_ rule: ScatterAdd, _ slices: Value, _ indices: Value, _ result: ValueType)
        -> Value
    {
        let zeros = filled(0, result)
        if result.count == 0 || slices.type.count == 0 { return zeros }
        let places = IndexedAxes(
            axis: rule.axis, sharedAxes: rule.sharedAxes, indices: indices.type.rank, slices: slices.type.rank
        )
        let batching =
            places.shared.isEmpty
            ? ""
            : "input_batching_dims = \(places.shared), scatter_indices_batching_dims = \(places.shared), "
        let scalar = ValueType([], result.element)
        return add(
            """
            "stablehlo.scatter"(\(zeros.name), \(indices.name), \(slices.name)) <{scatter_dimension_numbers = \
            #stablehlo.scatter<update_window_dims = \(places.ofSlices), inserted_window_dims = [\(rule.axis)], \(batching)\
            scatter_dims_to_operand_dims = [\(rule.axis)], index_vector_dim = \(indices.type.rank)>, \
            indices_are_sorted = false, unique_indices = false}> ({
              ^bb0(%a: \(scalar), %b: \(scalar)):
                %sum = stablehlo.add %a, %b : \(scalar)
                stablehlo.return %sum : \(scalar)
            }) : \(signature([zeros, indices, slices], result))
            """, result)
    }
}

/// Which axes of picked slices are those of the indices and which those of the table.
private struct IndexedAxes {
    let shared: [Int]
    let ofIndices: [Int]
    let ofSlices: [Int]

    init(axis: Int, sharedAxes: Int, indices: Int, slices: Int) {
        let last = axis + indices - sharedAxes
        shared = Array(0..<sharedAxes)
        ofIndices = shared + Array(axis..<last)
        ofSlices = Array(sharedAxes..<axis) + Array(last..<slices)
    }
}
