import Foundation
import Testing

private let canStartProcesses = access("/usr/bin/mpirun", X_OK) == 0

/// Training in several processes that mpirun starts, where Open MPI is installed.
@Suite(.enabled(if: canStartProcesses, "needs mpirun of Open MPI (openmpi-bin)"), .serialized)
struct ProcessesTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
        try place.writeDigits(train: 70)
    }

    /// - Parameter processes: how many mpirun starts; one without mpirun when nil.
    private func train(
        _ processes: Int?, _ options: String, output: String, each: String = ":"
    ) throws -> Workplace.Run {
        let command =
            "\"$fovea\" train mnist --network softmax-regression --batch-size 16 --verbosity 2 --output \(output) \(options)"
        guard let processes else { return try place.script("exec \(command)") }
        return try place.script(
            """
            export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
            exec mpirun --oversubscribe -n \(processes) \\
                sh -c 'rank=$OMPI_COMM_WORLD_RANK; echo $$ > pid.$rank; \(each); exec \(command)'
            """)
    }

    /// The number of a process that mpirun has started.
    private func process(_ rank: Int) throws -> Int32 {
        try #require(Int32(place.text("pid.\(rank)").trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    /// What a history says but for times, which come last.
    private func history(_ folder: String) throws -> [[Substring]] {
        try place.text("\(folder)/history.csv").split(separator: "\n").map {
            $0.split(separator: ",").dropLast()
        }
    }

    /// The same bits with 1, 2 and 4 processes, with mpirun and without it; the first alone prints and writes.
    @Test func theModelDoesNotDependOnTheNumberOfProcesses() async throws {
        let options =
            "--epochs 2 --shards 4 --accumulate 2 --validation 0.2 --early-stopping 5 --save-best best.safetensors"
        let alone = try await train(nil, options, output: "alone").result()
        #expect(alone.code == 0, "\(alone.errors)")
        let best = try place.bytes("best.safetensors")
        for count in [1, 2, 4] {
            let result = try await train(count, options, output: "run").result()
            #expect(result.code == 0, "\(result.errors)")
            #expect(try place.bytes("run/model.safetensors") == place.bytes("alone/model.safetensors"))
            #expect(try place.bytes("best.safetensors") == best)
            #expect(try history("run") == history("alone"))
            #expect(result.lines.filter { $0.hasPrefix("Epoch 1/2") }.count == 1, "\(result.output)")
            #expect(result.output.contains("Training in \(count) processes (Open MPI") == (count > 1))
        }
    }

    /// A process that is killed ends all soon, and fewer go on to the same model.
    @Test func aKilledProcessLosesNothing() async throws {
        let options = "--epochs 120 --shards 4 --checkpoint state --checkpoint-every 1"
        let whole = try await train(nil, "--epochs 120 --shards 4", output: "whole").result()
        #expect(whole.code == 0, "\(whole.errors)")
        for (count, rank) in [(4, 2), (2, 0)] {
            let run = try train(count, options, output: "run")
            try await run.waitFor("Epoch \(count == 4 ? 3 : 30)/")
            kill(try process(rank), SIGKILL)
            let clock = ContinuousClock.now
            let result = try await run.result()
            #expect(result.code != 0)
            #expect(result.errors.contains("signal 9"), "\(result.errors)")
            #expect(ContinuousClock.now - clock < .seconds(5))
        }
        let last = try await train(1, options, output: "run").result()
        #expect(last.code == 0, "\(last.errors)")
        #expect(last.output.contains("Going on from state"))
        #expect(try place.bytes("run/model.safetensors") == place.bytes("whole/model.safetensors"))
    }

    /// One that hangs ends all after a while.
    @Test func aSilentProcessEndsTraining() async throws {
        let run = try train(2, "--epochs 100000 --rank-timeout 1", output: "run")
        try await run.waitFor("Epoch 3/")
        kill(try process(1), SIGSTOP)
        let result = try await run.result()
        #expect(result.code != 0)
        #expect(
            result.errors.contains("process 1 has not answered process 0 for 1 s"), "\(result.errors)")
    }

    /// Processes that would not train the same are refused before the first step.
    @Test func processesWithOtherOptionsAreRefused() async throws {
        let result = try await train(
            2, "--epochs 2 --seed $seed", output: "run", each: "seed=$((rank + 5))"
        ).result()
        #expect(result.code != 0)
        #expect(result.errors.contains("process 1 does not train what process 0 trains"), "\(result.errors)")
        #expect(result.errors.contains("seed is 5, this training has 6"), "\(result.errors)")
        #expect(!result.output.contains("Epoch 1/"))
    }

    @Test func groupsThatDoNotFitAreRefused() async throws {
        let result = try await train(3, "--epochs 1", output: "run").result()
        #expect(result.code != 0)
        #expect(
            result.errors.components(separatedBy: "number of processes is 3").count == 2, "\(result.errors)")
    }

    /// A request to stop that one gets stops all, with the model saved.
    @Test func aRequestToStopStopsAll() async throws {
        let run = try train(2, "--epochs 100000", output: "run")
        try await run.waitFor("Epoch 3/")
        kill(try process(1), SIGTERM)
        let result = try await run.result()
        #expect(result.code != 0)
        #expect(
            result.errors.contains("Interrupted: the model so far is in run/model.safetensors"),
            "\(result.errors)")
        #expect(try !place.bytes("run/model.safetensors").isEmpty)
    }

    /// A picture that only one process reads ends all, with the picture's name.
    @Test func whatOneCannotReadEndsAll() async throws {
        let picture = [UInt8]("P5 4 4 255\n".utf8) + (0..<16).map { UInt8($0) }
        for (name, count) in [("a", 8), ("b", 8)] {
            for index in 0..<count {
                try place.write(index == 5 ? [1, 2, 3] : picture, to: "pictures/\(name)/\(index).pgm")
            }
        }
        let result = try await place.script(
            """
            export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
            exec mpirun --oversubscribe -n 2 "$fovea" train pictures --network softmax-regression --image-size 4 \\
                --batch-size 4 --epochs 1 --shards 2 --output run
            """
        ).result()
        #expect(result.code != 0)
        #expect(result.errors.contains("5.pgm"), "\(result.errors)")
    }
}

extension ProcessesTests {
    /// Where mpirun has not started a process, MPI's library is not opened.
    @Test func nobodyElseOpensTheLibrary() async throws {
        let result = try await place.shell(
            "LD_DEBUG=libs \"$fovea\" train mnist --network softmax-regression --epochs 1 --shards 2 --output run"
        )
        #expect(result.code == 0)
        #expect(!result.errors.contains("libmpi"))
        #expect(result.errors.contains("libc.so"))
    }
}
