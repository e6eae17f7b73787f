#!/usr/bin/env python3
"""Measures Fovea and its peers on this machine, in turn, and writes docs/benchmarks.md.

    python3 Benchmarks/compare.py --python .venv/bin/python --output docs/benchmarks.md
    python3 Benchmarks/compare.py fashion-cnn mnist-cnn --only training --peers pytorch --rounds 3
    python3 Benchmarks/compare.py --cpu avx2 --only training

Every program of a comparison is started once and then runs rounds of steps on request (peers/rounds.py has
the protocol); only one works at a time. Rounds go round-robin, so that a slow minute of the machine hits all
of them, and the ratios of the rounds are what counts. `--python` names an interpreter with the packages of
peers/requirements.txt. Needs nothing but Python's standard library itself.

A program that is missing or fails is named in the document and on standard error; the rest goes on, and the
status at the end is 1.
"""

import argparse
import os
import shlex
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import machine
from catalog import ALL_PEERS, INSTRUCTIONS, LIMITED_PEERS
from networks import NETWORKS
from sections import bfloat16, demo, growth, inference, loading, startup, training

SECTIONS = {
    "training": training, "bfloat16": bfloat16, "inference": inference, "growth": growth, "demo": demo,
    "startup": startup, "loading": loading}


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK",
                        help=f"default: those that a section is about; known: {', '.join(NETWORKS)}; "
                             "demo and startup always take fashion-cnn")
    parser.add_argument("--only", metavar="SECTIONS",
                        help=f"parts to measure, separated by commas, of {','.join(SECTIONS)}; default: all, but "
                             "loading only with --pictures")
    parser.add_argument("--batch-size", type=int,
                        help="of the training steps but for growth; default: each network's own")
    parser.add_argument("--steps", type=int, default=30, help="steps of a round (default 30)")
    parser.add_argument("--warmup", type=int, default=2, help="uncounted rounds (default 2)")
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds (default 7)")
    parser.add_argument("--demo-epochs", type=int, default=10, help="epochs of the demo (default 10)")
    parser.add_argument("--demo-runs", type=int, default=3, help="runs of the demo (default 3)")
    parser.add_argument("--fovea", metavar="COMMAND", type=shlex.split, default=".build/release/fovea",
                        help="the command to time, default .build/release/fovea")
    parser.add_argument("--peers", nargs="*", choices=ALL_PEERS, default=ALL_PEERS,
                        help="default: all that a section has")
    parser.add_argument("--cpu", choices=INSTRUCTIONS,
                        help="hold all programs to fewer instructions than this machine has; those that know no such "
                             "limit are left out")
    parser.add_argument("--pictures", type=Path,
                        help="the section 'loading' needs it: a folder with a folder of pictures for each class")
    parser.add_argument("--python", default=sys.executable, help="the peers' interpreter (default: this one)")
    parser.add_argument("--output", metavar="FILE", type=Path,
                        help="write the document to this file, anew after every section")
    options = parser.parse_args()
    for network in options.networks:
        if network not in NETWORKS:
            parser.error(f"there is no network {network!r}; known: {', '.join(NETWORKS)}")
    if options.only is None:
        options.only = [name for name in SECTIONS if name != "loading" or options.pictures]
    else:
        options.only = options.only.split(",")
    for name in options.only:
        if name not in SECTIONS:
            parser.error(f"--only: there is no section {name!r}; known: {', '.join(SECTIONS)}")
    if "loading" in options.only and not (options.pictures and options.pictures.is_dir()):
        parser.error("the section 'loading' needs --pictures FOLDER, a folder with a folder for each class")
    if "growth" in options.only and options.networks and not set(options.networks) & set(growth.BATCH_SIZES):
        parser.error(f"growth is measured on {', '.join(growth.BATCH_SIZES)}; name one of them, or leave "
                     "growth out with --only")
    for name in ["batch_size", "steps", "warmup", "rounds", "demo_epochs", "demo_runs"]:
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    if options.cpu:
        os.environ.update(INSTRUCTIONS[options.cpu])
        options.peers = [peer for peer in options.peers if peer in LIMITED_PEERS]
    if not options.fovea or not shutil.which(options.fovea[0]):
        parser.error(f"--fovea: {shlex.join(options.fovea) or 'an empty command'} is no program; build it "
                     "with 'swift build -c release --product fovea'")
    if not shutil.which(options.python):
        parser.error(f"--python: {options.python} is no program")
    if options.output and not options.output.parent.is_dir():
        parser.error(f"--output: there is no folder {options.output.parent}")
    return options


def document(sections, heading):
    """Summaries first, then what they come from."""
    failures = [failure for section in sections for failure in section.failures]
    parts = [heading]
    if failures:
        parts.append("**These programs failed and are missing below:**\n\n"
                     + "".join(f"- {failure}\n" for failure in failures))
    if summaries := [section.summary for section in sections if section.summary]:
        parts += ["## Summary\n", *summaries]
    parts += [f"## {section.title}\n\n{section.details}" for section in sections if section.details]
    return "\n".join(parts)


def main():
    options = parse()
    # As for Ctrl-C, so that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    heading = f"""\
# Benchmarks

Measured by `make bench`, which writes this file; [performance.md](performance.md) explains what is behind the
figures.

{machine.description()}
{f"- All programs are held to {options.cpu}, peers that know no such limit are left out" + chr(10) if options.cpu else ""}\
- Rounds of {options.steps} steps, in turn: {options.rounds} after {options.warmup} uncounted; random images
  in memory; a time is the median of the rounds' medians, a ratio the median of the rounds' ratios.
- A ratio is Fovea's time divided by the other's: below 1, Fovea is faster.
- Peers run in the fastest of their variants, chosen by trial beforehand.
"""
    measured = []
    # Compilers and model files use it; it goes with everything in it.
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        for name in dict.fromkeys(options.only):
            measured.append(SECTIONS[name].measure(options))
            if options.output:
                options.output.write_text(document(measured, heading))
    if not options.output:
        print(document(measured, heading), end="")
    if failures := [failure for section in measured for failure in section.failures]:
        sys.exit(f"{len(failures)} failed as said above and in the document; the rest was measured")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
