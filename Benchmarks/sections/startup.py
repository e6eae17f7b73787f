"""How soon Fovea works: the time to its help text, and to the first training step."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

from programs import ChildProcess, ProgramFailure, run_to_end
from report import Section, table
from sections.demo import BATCH_SIZE

HELP_RUNS = 21
FIRST_STEP_RUNS = 7
# The bar is drawn over, from the carriage return on, first after the first step.
FIRST_STEP = re.compile(rb"Epoch 1/.*\r *1/\d+ ", re.DOTALL)


def measure(options):
    section, rows = Section("", ""), []
    for what, runs, seconds in [
            ("`fovea --help`, start to end", HELP_RUNS, lambda: help_seconds(options)),
            (f"`fovea train fashion-mnist --network fashion-cnn --batch-size {BATCH_SIZE}`, "
             "start to the end of the first step", FIRST_STEP_RUNS, lambda: first_step_seconds(options))]:
        try:
            seconds()  # Brings the files to memory.
            times = [seconds() * 1000 for _ in range(runs)]
            rows.append([what, runs, f"{statistics.median(times):.1f}", f"{min(times):.1f}"])
        except ProgramFailure as failure:
            section.failures.append(f"startup: {failure}")
            print(f"startup failed: {failure}", file=sys.stderr)
            rows.append([what, runs, "failed", ""])
    section.summary = "### Startup\n\n" + table([":what", "runs", "median, ms", "least, ms"], rows)
    return section


def help_seconds(options):
    return run_to_end([*options.fovea, "--help"]).seconds


def first_step_seconds(options):
    """The bar on a terminal tells when the first step is done."""
    reader, terminal = os.openpty()
    with tempfile.TemporaryDirectory() as results, open(reader, "rb", buffering=0) as output:
        command = [*options.fovea, "train", "fashion-mnist", "--network", "fashion-cnn", "--epochs", "1",
                   "--batch-size", str(BATCH_SIZE), "--output", results]
        start = time.perf_counter()
        try:
            child = ChildProcess(command, {"TERM": "xterm"}, stdin=subprocess.DEVNULL, stdout=terminal)
        finally:
            os.close(terminal)
        try:
            printed = b""
            while not FIRST_STEP.search(printed):
                try:
                    more = output.read(4096)
                except OSError:  # Linux's way to say that nobody has the terminal open any more.
                    more = b""
                if not more:
                    raise child.failure(f"ended without a first step, having printed {printed[-200:]!r}")
                printed += more
            return time.perf_counter() - start
        finally:
            child.end()
