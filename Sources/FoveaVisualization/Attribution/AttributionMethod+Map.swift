import FoveaGraph

extension AttributionMethod {
    /// Values `[height, width]`, or `[height, width, channels]` of an input, as a number for each pixel.
    func map(of values: TensorValue) -> HeatMap {
        let (height, width) = (values.shape[0], values.shape[1])
        guard values.shape.rank == 3 else { return HeatMap(height: height, width: width, values.floats) }
        let (elements, channels) = (values.floats, values.shape[2])
        let pixels = (0..<(height * width)).map { pixel in
            let numbers = elements[(pixel * channels)..<((pixel + 1) * channels)]
            return isSigned
                ? Float(numbers.reduce(0.0) { $0 + Double($1) }) : numbers.reduce(0) { max($0, abs($1)) }
        }
        return HeatMap(height: height, width: width, pixels)
    }
}
