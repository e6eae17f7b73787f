"""What is said about the machine, and how busy it is."""

import datetime
import os
import platform
import subprocess
import time
from pathlib import Path


def busy_cores(seconds):
    """How many cores work while all programs here wait: other people's load."""
    def sample():
        with open("/proc/stat") as stat:
            ticks = [int(word) for word in stat.readline().split()[1:9]]
        return sum(ticks) - ticks[3] - ticks[4]

    before = sample()
    time.sleep(seconds)
    return (sample() - before) / os.sysconf("SC_CLK_TCK") / seconds


def core_count():
    """The cores that programs started here may use."""
    return len(os.sched_getaffinity(0))


def description():
    """A list in Markdown: date, machine and this source's version."""
    cpu = {}
    with open("/proc/cpuinfo") as info:
        for line in info:
            key, _, value = line.partition(":")
            cpu.setdefault(key.strip(), value.strip())
    flags = [flag for flag in cpu.get("flags", "").split() if flag.startswith(("avx", "amx"))]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return "\n".join([
        f"- Date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
        f"- Machine: {cpu.get('model name', 'unknown CPU')}, {core_count()} cores, {memory:.0f} GiB, "
        f"Linux {platform.release()}",
        f"- Vector and matrix instructions: {', '.join(flags) or 'none known'}",
        f"- Fovea: {source_version()}"])


def source_version():
    try:
        return "commit " + subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=Path(__file__).parent, capture_output=True,
            text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "not from a Git checkout"
