"""What the sections have measured, as Markdown."""

import dataclasses
import statistics
from dataclasses import field


@dataclasses.dataclass
class Section:
    """A part of the document. `summary` goes to its top."""
    title: str
    details: str
    summary: str = ""
    failures: list = field(default_factory=list)


@dataclasses.dataclass
class Comparison:
    """Programs that ran the same work in turn."""
    network: str
    batch_size: int
    programs: list
    load: list

    @property
    def title(self):
        return f"{self.network}, batch {self.batch_size}"

    def named(self, name):
        """The program of this name, or None where it has no results."""
        return next((program for program in self.programs if program.name == name and program.results), None)

    def fastest_peer(self):
        peers = [program for program in self.programs if program.is_peer and program.results]
        return min(peers, key=milliseconds, default=None)

    def failures(self):
        return [f"{self.title}: {program.name}: {program.failure}"
                for program in self.programs if program.failure]


def milliseconds(program):
    return statistics.median(result["median_ms"] for result in program.results)


def peak_mib(program):
    return max(result["peak_rss_mib"] for result in program.results)


def ratios(program, other):
    """The program's time divided by the other's, round by round."""
    return [a["median_ms"] / b["median_ms"] for a, b in zip(program.results, other.results, strict=True)]


def table(heads, rows):
    """Columns whose head starts with ":" hold text, the others numbers."""
    rule = ["---" if head.startswith(":") else "---:" for head in heads]
    lines = [[head.lstrip(":") for head in heads], rule, *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)


def summary(comparisons, name, against=None):
    """A row per comparison: the program of this name and another one, by default the fastest peer."""
    rows, medians = [], []
    for comparison in comparisons:
        program = comparison.named(name)
        other = comparison.named(against) if against else comparison.fastest_peer()
        ratio = ""
        if program and other:
            medians.append(statistics.median(ratios(program, other)))
            ratio = f"{medians[-1]:.3f}"
        rows.append([
            comparison.network, comparison.batch_size,
            f"{milliseconds(program):.3f}" if program else "failed",
            other.name if other else "none", f"{milliseconds(other):.3f}" if other else "", ratio,
            f"{peak_mib(program):.0f}" if program else "", f"{peak_mib(other):.0f}" if other else ""])
    if medians:
        mean = f"**{statistics.geometric_mean(medians):.3f}**"
        rows.append([f"geometric mean of {len(medians)}", "", "", "", "", mean, "", ""])
    return table(
        [":network", "batch", f"{name}, ms", ":beside it" if against else ":fastest peer", "its ms", "ratio",
         f"{name}, MiB", "its MiB"], rows)


def details(comparison):
    """All programs of a comparison, and the ratios of every round."""
    rows = []
    for program in comparison.programs:
        if program.failure:
            rows.append([program.name, "failed", "", "", "", ""])
            continue
        last = program.results[-1]
        rows.append([
            program.name, last.get("version", ""), last.get("variant", ""), f"{milliseconds(program):.3f}",
            f"{min(result['min_ms'] for result in program.results):.3f}", f"{peak_mib(program):.0f}"])
    load = comparison.load
    parts = [f"### {comparison.title}\n"]
    if load:
        parts.append("Load of other programs before the counted rounds: "
                     f"at most {max(load):.2f} cores, median {statistics.median(load):.2f}.\n")
    parts.append(table(
        [":program", ":version", ":variant", "median of rounds, ms", "fastest step, ms", "peak memory, MiB"],
        rows))
    finished = [program for program in comparison.programs if program.results]
    own = [program for program in finished if not program.is_peer]
    peers = [program for program in finished if program.is_peer]
    pairs = [(own[0], other) for other in own[1:]] + [(program, peer) for program in own for peer in peers]
    if pairs:
        parts.append("Times of the same round, divided:\n")
        parts.append(table([":programs", "median of ratios", ":ratio of each round"], [
            [f"{program.name} / {other.name}", f"{statistics.median(ratios(program, other)):.3f}",
             " ".join(f"{ratio:.3f}" for ratio in ratios(program, other))] for program, other in pairs]))
    return "\n".join(parts)


def comparison_section(title, comparisons, summary):
    return Section(
        title, "\n".join(details(comparison) for comparison in comparisons), summary,
        [failure for comparison in comparisons for failure in comparison.failures()])
