"""Training steps in bfloat16: Fovea's mixed precision, its own strict float32, and PyTorch's autocast."""

from catalog import BFLOAT16_PEERS, fovea, peers
from networks import NETWORKS
from programs import run_in_turn
from report import Comparison, comparison_section, summary
from sections.training import DEFAULT_NETWORKS


def measure(options):
    comparisons = []
    for network in options.networks or DEFAULT_NETWORKS:
        batch_size = options.batch_size or NETWORKS[network].batch
        programs = [
            fovea(options, "Fovea, bfloat16", network, batch_size, "--precision", "mixedBFloat16"),
            fovea(options, "Fovea, strict float32", network, batch_size, "--strict"),
            *peers(options, BFLOAT16_PEERS, network, batch_size)]
        load = run_in_turn(f"bfloat16, {network}", programs, options)
        comparisons.append(Comparison(network, batch_size, programs, load))
    return comparison_section("Training step, bfloat16", comparisons, f"""\
### Training step, bfloat16

Fovea with `--precision mixedBFloat16`, PyTorch with autocast to bfloat16.

{summary(comparisons, "Fovea, bfloat16")}
### Training step, Fovea's bfloat16 and its own strict float32

{summary(comparisons, "Fovea, bfloat16", against="Fovea, strict float32")}""")
