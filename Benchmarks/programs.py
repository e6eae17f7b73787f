"""Starts the programs that are measured, lets them work in turn, and leaves none of them behind."""

import dataclasses
import json
import os
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time

from machine import busy_cores

NEEDED = {"median_ms", "min_ms", "peak_rss_mib"}
# A start may compile every variant of a network.
LONGEST_ANSWER_SECONDS = 1800


class ProgramFailure(Exception):
    """A program that does not start, ends early or answers nonsense; the text says what happened."""


class ChildProcess:
    """A process in a session of its own, so that what it starts can be ended with it."""

    def __init__(self, command, environment=None, **streams):
        self.command = command
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                command, stderr=self.errors, env={**os.environ, **(environment or {})},
                start_new_session=True, **streams)
        except OSError as error:
            self.errors.close()
            raise ProgramFailure(f"{shlex.join(command)} does not start: {error}") from None

    def failure(self, what):
        """What went wrong, with how the process stands and the last lines that it wrote on standard error."""
        try:
            state = f"ended with status {self.process.wait(timeout=1)}"
        except subprocess.TimeoutExpired:
            state = "still runs"
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").splitlines()
        said = " / ".join([line.strip() for line in lines if line.strip()][-3:])
        return ProgramFailure(f"{what}; it {state}" + (f" after saying: {said}" if said else ""))

    def end(self):
        """Kills the process and what it started; they hold nothing worth saving."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.errors.close()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass


class Program:
    """A program that runs rounds of steps on request; peers/rounds.py has the protocol.

    `failure` says why it has no results, and is None as long as it has not failed.
    """

    def __init__(self, name, command, *, is_peer=True, environment=None):
        self.name, self.command, self.is_peer, self.environment = name, command, is_peer, environment
        self.results, self.failure, self.child = [], None, None

    def start(self):
        self.child = ChildProcess(
            self.command, self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def round(self, steps):
        process, line = self.child.process, ""
        try:
            process.stdin.write(f"go {steps}\n")
            process.stdin.flush()
            if not select.select([process.stdout], [], [], LONGEST_ANSWER_SECONDS)[0]:
                raise self.child.failure(f"no answer in {LONGEST_ANSWER_SECONDS} seconds")
            line = process.stdout.readline()
            result = json.loads(line)
            if isinstance(result, dict) and NEEDED <= result.keys():
                return result
        except (BrokenPipeError, ValueError):  # ValueError: no JSON, or no text at all
            pass
        raise self.child.failure(f"expected a JSON line with {', '.join(sorted(NEEDED))} after "
                                 f"\"go {steps}\", got {line.strip()!r}")

    def stop(self):
        if self.child:
            self.child.end()
            self.child = None

    def attempt(self, work):
        """The work's result, or None where the program has failed, now or before."""
        if self.failure is None:
            try:
                return work()
            except ProgramFailure as failure:
                self.failure, self.results = str(failure), []
                command = shlex.join(self.command)
                print(f"{self.name} failed: {failure}\n  command: {command}", file=sys.stderr)
                self.stop()
        return None


def run_in_turn(title, programs, options):
    """Fills in the results of the programs; those that fail drop out.

    Only one program works at a time, and rounds go round-robin, so that a slow minute of the machine hits all
    of them. Returns how many cores other people's programs used before each counted round.
    """
    load = []

    def first_round(program):
        program.start()
        program.round(options.steps)

    try:
        # A start with its first round, the first uncounted one, ends before the next program starts.
        for program in programs:
            program.attempt(lambda: first_round(program))
        for index in range(1 - options.warmup, options.rounds):
            for program in programs:
                if program.failure:
                    continue
                idle_load = busy_cores(0.5)
                result = program.attempt(lambda: program.round(options.steps))
                if index >= 0 and result:
                    load.append(idle_load)
                    program.results.append(result)
            if index >= 0:
                times = ", ".join(f"{program.name} {program.results[-1]['median_ms']:.3f} ms"
                                  for program in programs if not program.failure)
                print(f"{title}, round {index + 1} of {options.rounds}: {times}", file=sys.stderr)
    finally:
        for program in programs:
            program.stop()
    if max(load, default=0) > 0.2:
        print(f"other programs used up to {max(load):.1f} cores: these times are not to be relied on",
              file=sys.stderr)
    return load


@dataclasses.dataclass
class Finished:
    """What a whole process took, and what it printed."""
    seconds: float
    peak_mib: float
    output: str


def run_to_end(command, environment=None):
    """Runs a command from start to end. Raises `ProgramFailure` where its status is not zero."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = ChildProcess(command, environment, stdin=subprocess.DEVNULL, stdout=output)
        try:
            # The usage of this one process, and of those that it started and waited for.
            _, status, usage = os.wait4(child.process.pid, 0)
            seconds = time.perf_counter() - start
            child.process.returncode = os.waitstatus_to_exitcode(status)
            if child.process.returncode != 0:
                raise child.failure("expected status 0")
        finally:
            child.end()
        output.seek(0)
        return Finished(seconds, usage.ru_maxrss / 1024, output.read().decode(errors="replace"))
