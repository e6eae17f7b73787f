#!/usr/bin/env python3
"""Compares the time of a training step in Fovea with that in its peers, on this machine, in turn.

    python3 Benchmarks/compare.py fashion-cnn mnist-cnn --python .venv/bin/python --output comparison.md

Every program is started once and then runs rounds of steps on request (peers/rounds.py has the protocol);
only one works at a time. Rounds go round-robin, so that a slow minute of the machine hits all of them, and
the ratios of the rounds are what counts. `--python` names an interpreter with the packages of
peers/requirements.txt. Needs nothing but Python's standard library itself.
"""

import argparse
import datetime
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

PEERS = Path(__file__).resolve().parent / "peers"
sys.path.insert(0, str(PEERS))

from networks import NETWORKS  # noqa: E402

NEEDED = {"median_ms", "min_ms", "peak_rss_mib"}


class Program:
    """A started program that runs rounds."""

    def __init__(self, name, command):
        self.name, self.command, self.results = name, command, []
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        except OSError as error:
            sys.exit(f"{name}: {shlex.join(command)} does not start: {error}")

    def round(self, steps):
        line = ""
        try:
            self.process.stdin.write(f"go {steps}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            result = json.loads(line)
            if isinstance(result, dict) and NEEDED <= result.keys():
                return result
        except (BrokenPipeError, json.JSONDecodeError):
            pass
        try:
            state = f"ended with status {self.process.wait(timeout=1)}"
        except subprocess.TimeoutExpired:
            state = "still runs"
        sys.exit(f"{self.name}: expected a JSON line with {', '.join(sorted(NEEDED))} after \"go {steps}\", "
                 f"got {line.strip()!r}; {shlex.join(self.command)} {state}")

    def stop(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()


def busy_cores(seconds):
    """How many cores work while all programs here wait: other people's load."""
    def sample():
        with open("/proc/stat") as stat:
            ticks = [int(word) for word in stat.readline().split()[1:9]]
        return sum(ticks) - ticks[3] - ticks[4]

    before = sample()
    time.sleep(seconds)
    return (sample() - before) / os.sysconf("SC_CLK_TCK") / seconds


def cpu_model():
    try:
        described = subprocess.run(["lscpu"], capture_output=True, text=True, check=True,
                                   env={**os.environ, "LC_ALL": "C"}).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown CPU"
    fields = dict(line.split(":", 1) for line in described.splitlines() if ":" in line)
    return fields.get("Model name", "unknown CPU").strip()


def heading(options):
    return "\n".join([
        "# Time of a training step", "",
        f"- Date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
        f"- Machine: {cpu_model()}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}",
        f"- {options.rounds} rounds of {options.steps} steps each, in turn, after {options.warmup} uncounted;",
        "  random images in memory, float32", ""])


def report(network, batch_size, programs, load):
    first = programs[0]
    lines = [
        "", f"## {network}, batch {batch_size}", "",
        f"Load of other programs before the counted rounds: at most {max(load):.2f} cores, "
        f"median {statistics.median(load):.2f}.", "",
        "| program | version | variant | median of rounds, ms | fastest step, ms | peak memory, MiB |",
        "|---|---|---|---:|---:|---:|"]
    for program in programs:
        last = program.results[-1]
        lines.append(
            f"| {program.name} | {last.get('version', '')} | {last.get('variant', '')} "
            f"| {statistics.median(r['median_ms'] for r in program.results):.2f} "
            f"| {min(r['min_ms'] for r in program.results):.2f} "
            f"| {max(r['peak_rss_mib'] for r in program.results):.0f} |")
    if len(programs) > 1:
        lines += ["", f"Time of {first.name} divided by the peer's in the same round; "
                  f"below 1 {first.name} is faster:", "",
                  "| peer | median of ratios | ratio of each round |", "|---|---:|---|"]
    for peer in programs[1:]:
        ratios = [a["median_ms"] / b["median_ms"] for a, b in zip(first.results, peer.results, strict=True)]
        lines.append(f"| {peer.name} | {statistics.median(ratios):.3f} | "
                     f"{' '.join(f'{ratio:.3f}' for ratio in ratios)} |")
    return "\n".join(lines) + "\n"


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK",
                        help=f"default: fashion-cnn; known: {', '.join(NETWORKS)}")
    parser.add_argument("--batch-size", type=int, help="default: the one each network is measured with")
    parser.add_argument("--steps", type=int, default=50, help="steps of a round (default 50)")
    parser.add_argument("--warmup", type=int, default=2, help="uncounted rounds (default 2)")
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds (default 7)")
    parser.add_argument("--fovea", metavar="COMMAND", default=".build/release/fovea",
                        help="the command to time, default .build/release/fovea")
    parser.add_argument("--peers", nargs="*", choices=["keras_tensorflow", "pytorch"],
                        default=["keras_tensorflow", "pytorch"], help="default: all")
    parser.add_argument("--peers-only", action="store_true",
                        help="without Fovea; the first peer takes its place")
    parser.add_argument("--python", default=sys.executable, help="the peers' interpreter (default: this one)")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write the result as Markdown")
    options = parser.parse_args()
    options.networks = options.networks or ["fashion-cnn"]
    for network in options.networks:
        if network not in NETWORKS:
            parser.error(f"there is no network {network!r}; known: {', '.join(NETWORKS)}")
    sizes = [options.steps, options.rounds, options.warmup]
    if options.batch_size is not None:
        sizes.append(options.batch_size)
    if min(sizes) < 1:
        parser.error("--batch-size, --steps, --warmup and --rounds must be at least 1")
    return options


def compare(network, options):
    """The report of one network."""
    batch_size = options.batch_size or NETWORKS[network].batch
    size = ["--batch-size", str(batch_size)]
    commands = []
    if not options.peers_only:
        commands.append(
            ("fovea", [*shlex.split(options.fovea), "bench", network, *size, "--rounds-from-stdin"]))
    commands += [
        (peer, [options.python, str(PEERS / f"{peer}.py"), network, *size])
        for peer in dict.fromkeys(options.peers)]
    if not commands:
        sys.exit("nothing to run: give --peers, or leave --peers-only off")
    programs, load = [], []
    try:
        for name, command in commands:
            # A start with its first round ends before the next program starts.
            programs.append(Program(name, command))
            programs[-1].round(options.steps)
        for index in range(1 - options.warmup, options.rounds):
            for program in programs:
                idle_load = busy_cores(0.5)
                result = program.round(options.steps)
                if index >= 0:
                    load.append(idle_load)
                    program.results.append(result)
            if index >= 0:
                times = ", ".join(f"{p.name} {p.results[-1]['median_ms']:.2f} ms" for p in programs)
                print(f"{network}, round {index + 1} of {options.rounds}: {times}", file=sys.stderr)
    finally:
        for program in programs:
            program.stop()
    if max(load) > 0.2:
        print(f"other programs used up to {max(load):.1f} cores: these times are not to be relied on",
              file=sys.stderr)
    return report(network, batch_size, programs, load)


def main():
    options = parse()
    text = heading(options) + "".join(compare(network, options) for network in options.networks)
    print(text, end="")
    if options.output:
        options.output.write_text(text)


if __name__ == "__main__":
    main()
