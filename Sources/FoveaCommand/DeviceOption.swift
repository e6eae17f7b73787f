import ArgumentParser
import Fovea

/// What chooses where a command computes.
struct DeviceOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where to compute: cpu, gpu, or xla-cpu, the CPU by a plugin; see 'fovea devices'.",
            valueName: "name"))
    var device = "cpu"

    func validate() throws {
        guard Device.names.contains(device) else {
            throw ValidationError(unknown("device", device, among: Device.names))
        }
    }

    /// The device, which can be used. Says so where it cannot compute as precisely as asked.
    ///
    /// - Parameter tuner: chooses algorithms by timing them.
    func device(precision: Precision = .float32, tuner: Tuner? = nil) throws -> Device {
        guard device == "cpu" else {
            if tuner != nil {
                throw ValidationError(
                    "--autotune times algorithms of the CPU's backend; leave it out with --device \(device)")
            }
            // One that has started, for all that is computed.
            return try Device(Device(named: device, precision: precision).backend)
        }
        let cpu = Device.cpu(precision: precision, tuner: tuner)
        let usable = try cpu.backend.precision
        if usable != precision {
            warn(
                "This CPU has no bfloat16 arithmetic (it takes avx512_bf16 or amx_bf16): computing in \(usable)"
            )
        }
        return cpu
    }
}
