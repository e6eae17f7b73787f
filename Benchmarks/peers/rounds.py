"""What a peer process and the driver say to each other.

The driver writes "go N" on the peer's standard input. The peer runs N steps, of training or of inference,
prints one JSON line {"framework", "version", "network", "batch", "variant", "steps", "median_ms", "min_ms",
"peak_rss_mib"} and waits. It ends at the end of its input. Nothing else is printed on standard output.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from networks import NETWORKS


def arguments(description, variants, *switches):
    """The peer's options. A switch is a name of an option that is on or off, with its help."""
    parser = parser_of(description, variants)
    for name, text in switches:
        parser.add_argument(name, action="store_true", help=text)
    return checked(parser, variants)


def parser_of(description, variants):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=NETWORKS, nargs="?", default="fashion-cnn")
    parser.add_argument("--batch-size", type=int, help="default: the one the network is measured with")
    parser.add_argument("--variant", choices=["auto", *variants], default="auto",
                        help="auto tries each in a process of its own and takes the fastest")
    parser.add_argument("--trial-steps", type=int, default=10, help="steps of each trial round (default 10)")
    return parser


def loading_arguments(description, variants):
    """The options of a peer that loads pictures."""
    parser = parser_of(description, variants)
    parser.add_argument("--pictures", required=True, help="a folder with a folder for each class")
    return checked(parser, variants)


def checked(parser, variants):
    options = parser.parse_args()
    if options.batch_size is None:
        options.batch_size = NETWORKS[options.network].batch
    if options.batch_size < 1 or options.trial_steps < 1:
        parser.error("--batch-size and --trial-steps must be at least 1")
    if options.variant == "auto":
        options.variant = fastest(variants, options)
    return options


def fastest(variants, options):
    """Separate processes, so that the peak memory reported later is that of one variant."""
    times = {}
    for variant in variants:
        command = [sys.executable, *sys.argv, "--variant", variant]
        # The first round compiles. Of the others the best counts: a busy moment must not decide.
        trial = subprocess.run(command, input="go 5\n" + 3 * f"go {options.trial_steps}\n", text=True,
                               stdout=subprocess.PIPE)
        if trial.returncode != 0:
            sys.exit(f"the trial of variant {variant} ended with status {trial.returncode}")
        times[variant] = min(json.loads(line)["median_ms"] for line in trial.stdout.splitlines()[1:])
    print("; ".join(f"{variant} {ms:.2f} ms" for variant, ms in times.items()), file=sys.stderr)
    return min(times, key=times.get)


def peak_rss_mib():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError("/proc/self/status has no VmHWM line")


def serve(step, framework, version, options):
    """Answers "go N" lines. `step` runs one step to its end and returns its loss, or one of its outputs."""
    def round_of(steps):
        times = []
        for _ in range(steps):
            start = time.perf_counter()
            value = step()
            times.append((time.perf_counter() - start) * 1000)
        if not value == value:
            sys.exit("the step gives something that is not a number")
        return times

    answer(round_of, framework, version, options)


def serve_batches(next_batch, framework, version, options):
    """Answers "go N" lines with the mean time of N batches."""
    def round_of(count):
        start = time.perf_counter()
        for _ in range(count):
            next_batch()
        return [(time.perf_counter() - start) * 1000 / count] * count

    answer(round_of, framework, version, options)


def answer(round_of, framework, version, options):
    for line in sys.stdin:
        words = line.split()
        if len(words) != 2 or words[0] != "go" or not words[1].isdigit() or int(words[1]) < 1:
            sys.exit(f"expected a line like \"go 50\", got {line.strip()!r}")
        times = round_of(int(words[1]))
        print(json.dumps({
            "framework": framework, "version": version, "network": options.network,
            "batch": options.batch_size, "variant": options.variant, "steps": len(times),
            "median_ms": round(statistics.median(times), 4), "min_ms": round(min(times), 4),
            "peak_rss_mib": peak_rss_mib()}), flush=True)
