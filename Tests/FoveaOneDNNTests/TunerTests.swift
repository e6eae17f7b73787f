import CKernels
import Foundation
import FoveaFiles
import FoveaGraph
import FoveaRuntime
import Synchronization
import TestSupport
import Testing

@testable import FoveaOneDNN
@testable import FoveaPlanner

/// Algorithms chosen by their times. Where the times matter they are made up, so that nothing depends on the clock.
@Suite(.serialized) struct TunerTests {
    /// Says which of some kernels is fastest, and remembers what it was asked.
    @Compute
    final class FakeClock {
        private(set) var questions: [[any ContractionKernel]] = []
        /// The place of the fastest among the kernels for a request, counted round.
        let fastest: Int

        init(fastest: Int = 0) { self.fastest = fastest }

        func leastSeconds(_ requests: [[any ContractionKernel]]) -> [[Double]] {
            questions += requests
            return requests.map { choices in
                choices.indices.map { $0 == fastest % choices.count ? 1e-6 : 2e-6 * Double($0 + 1) }
            }
        }
    }

    final class Warnings: Sendable {
        private let list = Mutex<[String]>([])
        var texts: [String] { list.withLock(\.self) }
        func add(_ text: String) { list.withLock { $0.append(text) } }
    }

    @Compute
    private func tuner(
        _ clock: FakeClock, file: String? = nil, version: String = "1", warnings: Warnings = Warnings()
    ) -> Tuner {
        Tuner(
            cacheFile: file, version: version, warn: { warnings.add($0) }, leastSeconds: clock.leastSeconds)
    }

    /// A convolution that all algorithms can compute, where the CPU has them, and a product; with their gradients.
    @Compute
    private func graph(batch: Int = 2) throws -> BoundGraph {
        let kernel = Variable(name: "kernel", initial: TensorValue(repeating: 0.1, shape: [3, 3, 16, 32]))
        let weights = Variable(
            name: "weights", initial: TensorValue(repeating: 0.1, shape: [8 * 9 * 32, 24]))
        let x = try Tensor.input("images", [10, 11, 16]).convolved(with: Tensor(kernel)).relu()
        let y = try Tensor.matmul(x.reshaped(to: [Shape.batch, 8 * 9 * 32]), Tensor(weights))
        let gradients = try gradient(
            of: (y * y).mean(), withRespectTo: [Tensor(kernel), Tensor(weights)])
        return try BoundGraph(outputs: gradients, mode: .training, batch: batch)
    }

    private func contractions(_ plan: Plan) -> [any ContractionKernel] {
        plan.calls.compactMap { $0.kernel as? any ContractionKernel }
    }

    private func withFile(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "fovea-tuner-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder + "/deep/autotune.json")
    }

    private func write(_ text: String, to path: String) throws {
        let url = URL(filePath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    // MARK: - Choices

    @Test(arguments: 0..<4) @Compute func theFastestIsChosen(place: Int) throws {
        let clock = FakeClock(fastest: place)
        let tuner = tuner(clock)
        let plan = try OneDNNBackend(tuner: tuner).plan(graph())
        let planned = Dictionary(
            contractions(plan).map { ($0.contraction, $0.algorithm) }, uniquingKeysWith: { first, _ in first }
        )
        #expect(planned.count >= 4)
        for choices in clock.questions {
            // Requests of the first plan that the choices changed are not in the last one.
            guard let algorithm = planned[choices[0].contraction] else { continue }
            #expect(algorithm == choices[place % choices.count].algorithm)
        }
        let catalog = OneDNNCatalog(precision: .float32, threads: OneDNNBackend.threadCount)
        for (request, algorithm) in planned {
            let candidates = try catalog.candidates(request)
            #expect(candidates.count > 1 || algorithm == candidates[0].algorithm)
            let record = try #require(tuner.records.first { $0.request == request.description })
            #expect(record.algorithm == algorithm.description && !record.isFromCache)
            let names = candidates.count > 1 ? candidates.map(\.algorithm.description) : []
            #expect(record.microseconds.keys.sorted() == names.sorted())
            #expect(record.microseconds.isEmpty || record.microseconds[record.algorithm] == 1)
        }
        #expect(Set(tuner.records.map(\.request)).count == tuner.records.count)
    }

    @Test @Compute func theUsualChoiceWinsTies() throws {
        #expect(Tuner.best([]) == 0)
        #expect(Tuner.best([5]) == 0)
        #expect(Tuner.best([1.029, 1, 1.01]) == 0)
        #expect(Tuner.best([1.031, 1.02, 1]) == 2)
        #expect(Tuner.best([2, 1, 1]) == 1)
        #expect(Tuner.best([1, 2]) == 0)
    }

    @Test @Compute func strictMeasuresNothing() throws {
        try withFile { file in
            let clock = FakeClock(fastest: 1)
            let tuner = tuner(clock, file: file)
            let plan = try OneDNNBackend(precision: .strict, tuner: tuner).plan(graph())
            #expect(contractions(plan).allSatisfy { $0.algorithm == .direct })
            #expect(clock.questions.isEmpty)
            #expect(!tuner.records.isEmpty)
            #expect(tuner.records.allSatisfy { $0.algorithm == "direct" && $0.microseconds.isEmpty })
            #expect(!FileManager.default.fileExists(atPath: file))
        }
    }

    /// Each precision allows what it promises and no more.
    @Test @Compute func candidates() throws {
        let requests = Set(try contractions(OneDNNBackend().plan(graph())).map(\.contraction))
        let hasBFloat16 = OneDNNBackend.bfloat16Unit != "none"
        for precision in Precision.allCases {
            let catalog = OneDNNCatalog(precision: precision, threads: 1)
            for request in requests {
                let found = try catalog.candidates(request).map(\.algorithm)
                #expect(Set(found).count == found.count && found.contains(.direct))
                var (terms, isConvolution) = (2, false)
                if case .convolution(let request) = request {
                    (terms, isConvolution) = (request.direction == .forward ? 3 : 2, true)
                }
                var allowed: Set<Algorithm> = [.direct]
                if precision != .strict, isConvolution { allowed.insert(.winograd) }
                if precision != .strict, hasBFloat16 { allowed.insert(.bfloat16(terms: terms)) }
                if precision == .mixedBFloat16, hasBFloat16 { allowed.insert(.bfloat16(terms: 1)) }
                #expect(allowed.isSuperset(of: found))
                let first: any PreparedKernel =
                    switch request {
                    case .convolution(let request): try catalog.kernel(for: request)
                    case .matmul(let request): try catalog.kernel(for: request)
                    }
                #expect(found.first == (first as? any ContractionKernel)?.algorithm)
            }
        }
    }

    /// Those with a choice: the usual one may be direct where another algorithm exists.
    private static let cases = OperationCases.all.filter {
        $0.tolerance == .faster || ($0.tolerance == .direct && $0.name.contains("convolution"))
    }

    @Test(arguments: 0..<4, [Precision.float32, .mixedBFloat16])
    @Compute func everyChoiceEqualsReference(place: Int, precision: Precision) throws {
        let backend = OneDNNBackend(precision: precision, tuner: tuner(FakeClock(fastest: place)))
        let tolerance: ToleranceClass = precision == .float32 ? .faster : .bfloat16
        for operationCase in Self.cases {
            try check(operationCase, on: backend, relativeTolerance: 10 * tolerance.relative)
        }
    }

    @Test @Compute func measuredChoicesEqualReference() throws {
        let tuner = Tuner(cacheFile: nil, version: "1")
        for operationCase in Self.cases {
            try check(
                operationCase, on: OneDNNBackend(tuner: tuner),
                relativeTolerance: 10 * ToleranceClass.faster.relative)
        }
        #expect(!tuner.records.isEmpty)
        #expect(tuner.records.allSatisfy { $0.microseconds.values.allSatisfy { $0 >= 0 && $0.isFinite } })
    }

    // MARK: - Times of earlier runs

    @Test @Compute func timesAreMeasuredOnce() throws {
        try withFile { file in
            let clock = FakeClock(fastest: 1)
            let (first, second) = (tuner(clock, file: file), tuner(clock, file: file))
            let backend = OneDNNBackend(tuner: first)
            let algorithms = try contractions(backend.plan(graph())).map(\.algorithm)
            let asked = clock.questions.count
            // Again with the same tuner, and in a run of its own.
            #expect(try contractions(backend.plan(graph())).map(\.algorithm) == algorithms)
            let later = OneDNNBackend(tuner: second)
            #expect(try contractions(later.plan(graph())).map(\.algorithm) == algorithms)
            #expect(clock.questions.count == asked)
            #expect(second.records.map(\.microseconds) == first.records.map(\.microseconds))
            #expect(second.records.map(\.algorithm) == first.records.map(\.algorithm))
            #expect(first.records.allSatisfy { !$0.isFromCache })
            #expect(second.records.allSatisfy { $0.isFromCache != $0.microseconds.isEmpty })
        }
    }

    /// Every change of what times depend on measures anew and keeps what was known.
    @Test @Compute func othersAreMeasuredAnew() throws {
        let threads = fovea_thread_count()
        defer { fovea_set_thread_count(threads) }
        try withFile { file in
            let usual = try OneDNNCatalog(precision: .float32, threads: 1)
                .candidates(#require(contractions(OneDNNBackend().plan(graph())).first).contraction)
            // Without vector instructions the library has one algorithm for everything.
            guard usual.count > 1 else { return }
            @Compute func questions(
                _ precision: Precision = .float32, batch: Int = 2, version: String = "1"
            ) throws -> Int {
                let clock = FakeClock()
                let tuner = tuner(clock, file: file, version: version)
                _ = try OneDNNBackend(precision: precision, tuner: tuner).plan(graph(batch: batch))
                return clock.questions.count
            }
            fovea_set_thread_count(1)
            let count = try questions()
            #expect(count > 0)
            #expect(try questions() == 0)
            #expect(try questions(version: "2") == count)
            #expect(try questions(batch: 3) == count)
            if OneDNNBackend.bfloat16Unit != "none" { #expect(try questions(.mixedBFloat16) == count) }
            fovea_set_thread_count(2)
            #expect(try questions() == count)
            #expect(try questions() == 0)
            fovea_set_thread_count(1)
            #expect(try questions() == 0)
            #expect(try questions(version: "2") == 0)
            #expect(try questions(batch: 3) == 0)
            #expect(try TimingFile(path: file).read().count == 3)
        }
    }

    /// Times of other algorithms than those there are now do not count, nor do impossible ones.
    @Test @Compute func entriesThatDoNotFit() throws {
        try withFile { file in
            let clock = FakeClock()
            _ = try OneDNNBackend(tuner: tuner(clock, file: file)).plan(graph())
            let whole = try TimingFile(path: file).read()
            let count = clock.questions.count
            let changes: [([String: Double]) -> [String: Double]] = [
                { $0.filter { $0.key != "direct" } }, { $0.merging(["other": 1]) { $1 } },
                { $0.mapValues { -$0 } }, { _ in [:] },
            ]
            for change in changes {
                try TimingFile(path: file).add(whole.mapValues { $0.mapValues(change) })
                let (clock, warnings) = (FakeClock(), Warnings())
                _ = try OneDNNBackend(tuner: tuner(clock, file: file, warnings: warnings)).plan(graph())
                #expect(clock.questions.count == count && warnings.texts.isEmpty)
                #expect(try TimingFile(path: file).read() == whole)
            }
        }
    }

    @Test(arguments: [
        "", "{", "[]", "null", #"{"machine": 3}"#, #"{"m": {"r": {"direct": "fast"}}}"#, "\u{0}\u{1}",
        String(repeating: "[", count: 600),
    ])
    @Compute func damagedFiles(text: String) throws {
        try withFile { file in
            try write(text, to: file)
            let (clock, warnings) = (FakeClock(), Warnings())
            let backend = OneDNNBackend(tuner: tuner(clock, file: file, warnings: warnings))
            _ = try backend.plan(graph())
            guard !clock.questions.isEmpty else { return }
            _ = try backend.plan(graph(batch: 3))
            #expect(warnings.texts.count == 1)
            #expect(warnings.texts.first?.hasPrefix(file + " is damaged") == true, "\(warnings.texts)")
            let again = FakeClock()
            _ = try OneDNNBackend(tuner: tuner(again, file: file)).plan(graph(batch: 3))
            #expect(again.questions.isEmpty)
        }
    }

    /// As root everything may be written, so these are places where no file can be.
    @Test(arguments: [("/x", 1), ("", 2)])
    @Compute func filesThatCannotBeWritten(end: String, count: Int) throws {
        try withFile { file in
            // The folder is a file, or the file a folder.
            try write("", to: end.isEmpty ? file + "/x" : file)
            let (clock, warnings) = (FakeClock(fastest: 1), Warnings())
            let backend = OneDNNBackend(tuner: tuner(clock, file: file + end, warnings: warnings))
            _ = try backend.plan(graph())
            guard !clock.questions.isEmpty else { return }
            let plan = try backend.plan(graph(batch: 3))
            #expect(contractions(plan).contains { $0.contraction == clock.questions.last?[0].contraction })
            #expect(warnings.texts.count { $0.contains("could not be written") } == 1)
            #expect(warnings.texts.allSatisfy { $0.hasPrefix(file + end + " ") }, "\(warnings.texts)")
        }
        try withFile { file in
            // A pipe that nobody writes to is not waited for.
            try write("", to: file + ".other")
            #expect(mkfifo(file, 0o600) == 0)
            #expect(throws: TimingFileError.self) { try TimingFile(path: file).read() }
        }
    }

    @Test func writersDoNotUndoEachOther() throws {
        try withFile { path in
            let file = TimingFile(path: path)
            DispatchQueue.concurrentPerform(iterations: 40) { number in
                #expect(throws: Never.self) {
                    try file.add(["machine \(number % 3)": ["request \(number)": ["direct": Double(number)]]])
                    // A part of a file would be damaged.
                    #expect(try file.read()["machine \(number % 3)"]?["request \(number)"] != nil)
                }
            }
            let times = try file.read()
            #expect(times.count == 3)
            #expect(times.values.reduce(0) { $0 + $1.count } == 40)
            let names = try FileManager.default.contentsOfDirectory(
                atPath: URL(filePath: path).deletingLastPathComponent().path)
            #expect(names == ["autotune.json"])
        }
    }

    /// Requests that differ anywhere have different names.
    @Test func requestNames() {
        let convolution = ConvolutionRequest(
            direction: .forward, convolution: Convolution(), images: [2, 8, 9, 16], kernel: [3, 5, 16, 32],
            output: [2, 6, 5, 32])
        let convolutionChanges: [(inout ConvolutionRequest) -> Void] = [
            { _ in }, { $0.direction = .inputGradient }, { $0.direction = .kernelGradient },
            { $0.images[0] = 3 }, { $0.images[1] = 7 }, { $0.kernel[1] = 3 }, { $0.output[2] = 4 },
            { $0.convolution.strides = [2, 1] }, { $0.convolution.strides = [1, 2] },
            { $0.convolution.dilations = [2, 1] }, { $0.convolution.dilations = [1, 2] },
            { $0.convolution.padding.top = 1 }, { $0.convolution.padding.bottom = 1 },
            { $0.convolution.padding.left = 1 }, { $0.convolution.padding.right = 1 },
            { $0.convolution.groups = 2 }, { $0.hasBias = true }, { $0.hasReLU = true },
            {
                $0.hasReLU = true
                $0.ceiling = 6
            },
        ]
        let matrix = MatMulRequest.Matrix(batchStride: 0, rowStride: 8, columnStride: 1)
        let matmul = MatMulRequest(
            batch: 1, rows: 8, inner: 8, columns: 8, a: matrix, b: matrix, c: matrix)
        let matmulChanges: [(inout MatMulRequest) -> Void] =
            [
                { _ in }, { $0.batch = 2 }, { $0.rows = 9 }, { $0.inner = 9 }, { $0.columns = 9 },
                { $0.hasBias = true }, { $0.hasReLU = true },
            ]
            + [\MatMulRequest.a, \.b, \.c].flatMap { path -> [(inout MatMulRequest) -> Void] in
                [
                    { $0[keyPath: path].batchStride = 64 }, { $0[keyPath: path].rowStride = 1 },
                    { $0[keyPath: path].columnStride = 8 },
                ]
            }
        let requests =
            convolutionChanges.map { change -> ContractionRequest in
                var request = convolution
                change(&request)
                return .convolution(request)
            }
            + matmulChanges.map { change in
                var request = matmul
                change(&request)
                return .matmul(request)
            }
        #expect(Set(requests).count == requests.count)
        #expect(Set(requests.map(\.description)).count == requests.count)
    }
}
