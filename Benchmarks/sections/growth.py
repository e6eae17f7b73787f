"""How Fovea's time and memory of a training step grow with the batch, on one thread and on all."""

import re

from catalog import fovea
from machine import core_count
from programs import ProgramFailure, run_in_turn, run_to_end
from report import Section, milliseconds, peak_mib, table

BATCH_SIZES = {
    "fashion-cnn": [16, 32, 64, 128, 256, 512, 1024],
    "cats-dogs-cnn": [5, 20, 80],
}


def measure(options):
    section = Section("Growth with the batch: Fovea's training step, float32", """\
The arena is the memory that the plan shares between the values of a step; the peak is that of the whole
process.
""")
    for network in [name for name in BATCH_SIZES if name in (options.networks or BATCH_SIZES)]:
        growth = network_growth(network, options, section)
        section.details += f"\n### {network} by batch and threads\n\n{growth}"
    return section


def network_growth(network, options, section):
    """A table; what fails goes to the section."""
    thread_counts = sorted({1, core_count()})
    programs = {
        (batch_size, threads): fovea(
            options, f"batch {batch_size}, threads {threads}", network, batch_size,
            environment={"OMP_NUM_THREADS": str(threads)})
        for batch_size in BATCH_SIZES[network] for threads in thread_counts}
    run_in_turn(f"growth, {network}", list(programs.values()), options)
    arenas = {}
    for batch_size in BATCH_SIZES[network]:
        try:
            arenas[batch_size] = arena_kib(network, batch_size, options)
        except ProgramFailure as failure:
            section.failures.append(f"growth, {network}, batch {batch_size}: {failure}")
    rows = []
    for (batch_size, threads), program in programs.items():
        row = [batch_size, threads]
        if program.failure:
            section.failures.append(f"growth, {network}, {program.name}: {program.failure}")
            row += ["failed", "", "", ""]
        else:
            time, peak = milliseconds(program), peak_mib(program)
            row += [f"{time:.3f}", f"{time / batch_size * 1000:.1f}",
                    f"{peak:.0f}", f"{peak / batch_size * 1024:.0f}"]
        arena = arenas.get(batch_size)
        row += [f"{arena / 1024:.2f}", f"{arena / batch_size:.1f}"] if arena is not None else ["failed", ""]
        rows.append(row)
    return table(
        ["batch", "threads", "step, ms", "per image, µs", "peak memory, MiB", "per image, KiB", "arena, MiB",
         "per image, KiB"], rows)


def arena_kib(network, batch_size, options):
    command = [*options.fovea, "plan", network, "--batch-size", str(batch_size)]
    found = re.search(r"^memory: ([\d.]+) KiB shared", run_to_end(command).output, re.MULTILINE)
    if not found:
        raise ProgramFailure(f"{' '.join(command)} has no line like \"memory: 12.0 KiB shared\"")
    return float(found[1])
