import FoveaGraph

extension Dataset {
    /// What a function makes of each element.
    ///
    /// - Parameters:
    ///   - name: what is done, to tell data sets apart when training is resumed.
    ///   - transform: must depend on nothing but the element, and is called on several threads at once.
    public func map<Mapped>(
        named name: String = "mapped", _ transform: @escaping @Sendable (Element) throws -> Mapped
    ) -> Dataset<Mapped> {
        mapped(name) { element, _ in try transform(element) }
    }

    /// What a function with random numbers makes of each element, such as a picture turned at random.
    ///
    /// - Parameters:
    ///   - seed: for the random numbers, which depend on it, the element's number and the epoch. Two maps of one data set
    ///     should have different seeds, or their random numbers are the same.
    ///   - name: what is done, as for the other `map`.
    ///   - transform: takes what it needs from a generator that is made for this call.
    public func map<Mapped>(
        seed: UInt64, named name: String = "mapped",
        _ transform: @escaping @Sendable (Element, inout PhiloxGenerator) throws -> Mapped
    ) -> Dataset<Mapped> {
        mapped("\(name) with seed \(seed)") { element, place in
            var generator = PhiloxGenerator(seed: seed, epoch: place.epoch, index: place.index)
            return try transform(element, &generator)
        }
    }

    func mapped<Mapped>(
        _ stage: String, _ transform: @escaping @Sendable (Element, Place) throws -> Mapped
    ) -> Dataset<Mapped> {
        let compute = compute
        var mappedPieces: Dataset<Mapped>.Pieces?
        if let pieces {
            mappedPieces = { place in
                let work = pieces(place)
                return Work(pieces: work.pieces) { try transform(work.result(), place) }
            }
        }
        return Dataset<Mapped>(
            extent: extent, isEndless: isEndless, reorders: reorders, stages: stages + [Stage(stage)],
            pieces: mappedPieces
        ) { try transform(compute($0), $0) }
    }

    /// Pairs of the elements with the same number; as many as the smaller data set has.
    public func zipped<Other>(with other: Dataset<Other>) -> Dataset<(Element, Other)> {
        var pairedPieces: Dataset<(Element, Other)>.Pieces?
        if pieces != nil || other.pieces != nil {
            pairedPieces = { place in
                let (first, second) = (self.work(at: place), other.work(at: place))
                return Work(pieces: first.pieces + second.pieces) {
                    (try first.result(), try second.result())
                }
            }
        }
        return Dataset<(Element, Other)>(
            extent: min(extent, other.extent), isEndless: isEndless && other.isEndless,
            reorders: reorders || other.reorders,
            stages: [joined("zipped with", other)], pieces: pairedPieces
        ) { (try self.compute($0), try other.compute($0)) }
    }

    /// The elements of this data set and then those of another one.
    ///
    /// - Throws: `DatasetError` when this one is endless or both have more elements than an `Int` can count.
    public func concatenated(with other: Dataset) throws(DatasetError) -> Dataset {
        try checkFinite("continued by another one")
        let (sum, overflow) = extent.addingReportingOverflow(other.extent)
        guard !overflow || other.isEndless else { throw tooMany() }
        let first = extent
        @Sendable func part(_ place: Place) -> (Dataset, Place) {
            place.index < first
                ? (self, place) : (other, Place(index: place.index - first, epoch: place.epoch))
        }
        var joinedPieces: Pieces?
        if pieces != nil || other.pieces != nil {
            joinedPieces = { place in
                let (dataset, place) = part(place)
                return dataset.work(at: place)
            }
        }
        return Dataset(
            extent: overflow ? Int.max : sum, isEndless: other.isEndless,
            reorders: reorders || other.reorders,
            stages: [joined("and then", other)], pieces: joinedPieces
        ) { place in
            let (dataset, place) = part(place)
            return try dataset.compute(place)
        }
    }

    private func joined<Other>(_ how: String, _ other: Dataset<Other>) -> Stage {
        Stage("(\(self)) \(how) (\(other))", sources: (stages + other.stages).flatMap(\.sources))
    }

    func checkFinite(_ action: String) throws(DatasetError) {
        guard !isEndless else {
            throw DatasetError(
                .invalidArgument, "an endless data set cannot be \(action); do this before it is repeated")
        }
    }

    func tooMany() -> DatasetError {
        DatasetError(.tooLarge, "the data set would have more elements than can be counted")
    }
}

extension PhiloxGenerator {
    /// Random numbers for one element in one epoch.
    init(seed: UInt64, epoch: Int, index: Int, stream: UInt32 = mapStream) {
        let epoch = UInt64(bitPattern: Int64(epoch))
        let words = Philox4x32.block(
            key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)),
            counter: SIMD4(
                UInt32(truncatingIfNeeded: epoch), UInt32(truncatingIfNeeded: epoch >> 32), 0, stream))
        self.init(
            seed: UInt64(words.x) | UInt64(words.y) << 32, stream: stream,
            step: UInt64(bitPattern: Int64(index)))
    }
}

/// Random numbers for elements come from this stream ("elem" in ASCII).
private let mapStream: UInt32 = 0x656C_656D
