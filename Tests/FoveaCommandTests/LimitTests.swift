import Foundation
import Testing

extension CommandTests {
    /// Where the system or the environment gives fewer threads than wanted, or asks for too many.
    @Suite struct Limits {
        private static let bench = "$fovea bench softmax-regression --batch-size 5 --steps 2 --json"
        private static let training =
            "$fovea train mnist --network softmax-regression --epochs 1 --verbosity 0 --output out"

        @Test(arguments: [
            ("OMP_NUM_THREADS=65536", "OMP_NUM_THREADS asks for 65536 threads; there can be at most "),
            ("OMP_NUM_THREADS=2 OMP_THREAD_LIMIT=1", "OMP_THREAD_LIMIT allows 1 of 2 threads"),
            ("OMP_NUM_THREADS=2 OMP_MAX_ACTIVE_LEVELS=0", nil), ("OMP_NUM_THREADS=2 OMP_STACKSIZE=32k", nil),
            ("OMP_NUM_THREADS=2 OMP_STACKSIZE=nonsense", "OMP_STACKSIZE"),
            ("OMP_NUM_THREADS=0", "OMP_NUM_THREADS"),
            ("OMP_NUM_THREADS=-3", "OMP_NUM_THREADS"), ("OMP_NUM_THREADS=many", "OMP_NUM_THREADS"),
            ("OMP_NUM_THREADS=2,1", nil), ("OMP_NUM_THREADS=2 OMP_DYNAMIC=true", nil),
            ("OMP_NUM_THREADS=3", nil),
        ])
        func openMPSettings(settings: String, warning: String?) async throws {
            let result = try await Workplace().shell("\(settings) \(Self.bench)")
            #expect(result.code == 0 && result.output.contains("median_ms"), "\(settings): \(result)")
            if let warning {
                #expect(result.errors.contains(warning), "\(settings): \(result.errors)")
            } else {
                #expect(result.errors.isEmpty, "\(settings): \(result.errors)")
            }
        }

        /// Kernels of our own and oneDNN's are held to the instructions that FOVEA_CPU names.
        @Test(arguments: ["avx512", "avx2", "baseline"]) func limitOfInstructions(kind: String) async throws {
            let result = try await Workplace().shell(
                "FOVEA_CPU=\(kind) $fovea plan single-conv --batch-size 2")
            #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
            let wider = ["baseline": ["avx"], "avx2": ["avx512", "amx"], "avx512": ["amx"]]
            for name in wider[kind, default: []] {
                #expect(!result.output.contains(name), "\(result.output)")
            }
            let flags = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
            let kinds = [("avx512", "avx512bw"), ("avx2", "avx2"), ("baseline", "")]
            let used = kinds.drop { $0.0 != kind }.first { $0.1.isEmpty || flags.contains($0.1) }?.0
            #expect(result.output.contains("narrow:\(used ?? kind)"), "\(result.output)")
        }

        @Test func unknownLimitOfInstructions() async throws {
            let result = try await Workplace().shell("FOVEA_CPU=avx3 \(Self.bench)")
            #expect(result.code == 1 && result.output.isEmpty)
            #expect(
                result.errors
                    == "Error: the environment's FOVEA_CPU is 'avx3', which is none of avx512, avx2, baseline\n",
                "\(result.errors)")
        }

        /// The stacks that further threads would have do not fit into the address space.
        @Test func noFurtherThreads() async throws {
            let place = try Workplace()
            try place.writeDigits()
            let result = try await place.shell(
                "ulimit -v 100000000; OMP_NUM_THREADS=3 OMP_STACKSIZE=200G \(Self.training)")
            #expect(result.code == 0, "\(result)")
            #expect(result.errors.contains("the system gives 1 of 3 threads"))
            #expect(result.lines.last?.hasPrefix("test accuracy ") == true)
        }

        /// So also for the threads that Swift and Dispatch start.
        @Test func noThreadsAtAll() async throws {
            let result = try await Workplace().shell(
                "ulimit -v 100000000; ulimit -s 200000000 || exit 77; \(Self.bench)")
            // Only who may raise the limit can have it.
            if result.code == 77 { return }
            #expect(result.code == 1 && result.output.isEmpty)
            #expect(result.errors.hasPrefix("Error: no thread can be started: "), "\(result.errors)")
        }

        /// Another user, whose processes are counted anew, and whose threads are.
        private static let otherUser = "setpriv --reuid \(50_000 + getpid() % 10_000) --clear-groups"

        private static let canLimitThreads: Bool = {
            guard getuid() == 0 else { return false }
            let trial = Process()
            trial.executableURL = URL(filePath: "/bin/sh")
            trial.arguments = ["-c", "prlimit --nproc=100 \(otherUser) '\(Workplace.executable)' --version"]
            (trial.standardOutput, trial.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            guard (try? trial.run()) != nil else { return false }
            trial.waitUntilExit()
            return trial.terminationStatus == 0
        }()

        /// With any number of threads it trains or says why it does not: it never waits for one that there is not.
        @Test(.enabled(if: canLimitThreads), arguments: 1...9) func anyNumberOfThreads(count: Int)
            async throws
        {
            let place = try Workplace()
            try place.writeDigits()
            let result = try await place.shell(
                "chmod 777 .; export OMP_NUM_THREADS=3; "
                    + "exec timeout -k 1 50 prlimit --nproc=\(count) \(Self.otherUser) \(Self.training)")
            if result.code == 0 {
                #expect(result.lines.last?.hasPrefix("test accuracy ") == true)
            } else {
                #expect(result.code == 1, "\(count): \(result)")
                #expect(
                    result.errors.contains("no thread can be started")
                        || result.errors.contains("Thread creation failed"), "\(count): \(result.errors)")
            }
            if count >= 9 { #expect(result.code == 0, "\(result)") }
        }
    }

    /// A request to end is obeyed wherever the process is.
    @Suite struct Termination {
        @Test func atOnce() async throws {
            let place = try Workplace()
            let run = try place.start("train shapes --epochs 1000")
            run.signal(SIGTERM)
            let result = try await run.result()
            #expect(result.code == -Int(SIGTERM) || result.code == 130, "\(result)")
        }

        /// The first line comes before the first step is compiled.
        @Test(arguments: ["lenet5", "fashion-cnn"]) func whileCompiling(network: String) async throws {
            let place = try Workplace()
            let run = try place.start("train shapes --network \(network) --epochs 1000 --output out")
            try await run.waitFor("Epoch 1/1000")
            run.signal(SIGTERM)
            let result = try await run.result()
            #expect(result.code == 130, "\(result)")
            #expect(try place.names(in: "out") == ["history.csv", "model.safetensors"])
        }
    }

    /// Arguments and names in files come from anywhere.
    @Suite struct HostileTexts {
        private func expectHarmless(_ result: Workplace.Result, showing part: String, limit: Int = 10_000) {
            for text in [result.output, result.errors] {
                #expect(
                    !text.unicodeScalars.contains { "\u{1B}\u{7}\u{202E}\r".unicodeScalars.contains($0) },
                    "\(result)")
                #expect(text.count < limit)
            }
            #expect((result.output + result.errors).contains(part), "\(result)")
        }

        @Test(arguments: [
            "train \"$e[2J\"", "train shapes --network \"$e[2J\"", "\"$e[2J\"", "train shapes --\"$e[2J\"",
            "train shapes --epochs \"$e[2J\"", "train shapes --epochs=\"$e[2J\"", "train shapes \"$e[2J\"",
            "summary \"./$e[2J\"", "predict \"$e[2J\" x", "evaluate \"$e[2J\" shapes",
            "train shapes --augment \"$e[2J\"",
            "datasets show \"$e[2J\"", "datasets get \"$e[2J\"", "bench \"$e[2J\"",
            "train shapes --output \"/dev/null/$e[2J\"",
        ])
        func arguments(command: String) async throws {
            let place = try Workplace()
            let result = try await place.shell("e=$(printf '\\033'); $fovea \(command)")
            #expect(result.code == 64 || result.code == 1, "\(result)")
            expectHarmless(result, showing: "\\u{1B}[2J")
            let turned = try await place.shell("e=$(printf '\\342\\200\\256'); $fovea \(command)")
            expectHarmless(turned, showing: "\\u{202E}[2J")
        }

        @Test func longArguments() async throws {
            let place = try Workplace()
            for command in [
                "train $a", "$a", "train shapes --network $a", "train shapes --epochs=$a", "summary ./$a",
            ] {
                let result = try await place.shell(
                    "a=$(head -c 100000 /dev/zero | tr '\\0' a); $fovea \(command)")
                #expect(result.code == 64 || result.code == 1)
                expectHarmless(result, showing: " more characters)…")
            }
        }

        private func write(_ architecture: String, to name: String, in place: Workplace) throws {
            let text = try JSONSerialization.data(
                withJSONObject: ["__metadata__": ["fovea.format": "2", "fovea.architecture": architecture]])
            let length = withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init)
            try place.write(length + text, to: name)
        }

        @Test func namesInModels() async throws {
            let place = try Workplace()
            func architecture(_ layer: String, _ activation: String) -> String {
                #"{"class_name":"Sequential","config":{"name":"m\u202em","build_input_shape":[null,4],"layers":["#
                    + #"{"class_name":"Activation","config":{"name":"\#(layer)","activation":"\#(activation)"}}]}}"#
            }
            try write(architecture(#"a\u202eb"#, "relu"), to: "m", in: place)
            let summary = try await place.fovea("summary ./m")
            #expect(summary.code == 0)
            expectHarmless(summary, showing: "a\\u{202E}b (Activation)")
            try write(architecture(#"\u001b[2J"#, "relu"), to: "m", in: place)
            expectHarmless(try await place.fovea("summary ./m"), showing: "\\u{1B}[2J")
            try write(architecture("a", #"\u001b[2J\u202e"#), to: "m", in: place)
            expectHarmless(try await place.fovea("predict ./m x.png"), showing: "\\u{1B}[2J\\u{202E}")
            try write(
                architecture("a", #"\u202e"# + String(repeating: "n", count: 1_000_000)), to: "m", in: place)
            expectHarmless(try await place.fovea("summary ./m"), showing: " more characters)…")
        }
    }
}
