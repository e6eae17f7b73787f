"""How fast the pictures of a folder come to training, augmented: Fovea's loader threads and its peers' workers."""

from catalog import LOADING_PEERS, fovea, peers
from networks import NETWORKS
from programs import run_in_turn
from report import Comparison, comparison_section, summary

NETWORK = "cats-dogs-cnn"
AUGMENTATION = "rotation=40,shift=0.2,shear=0.2,zoom=0.2,flip=horizontal"


def measure(options):
    batch_size = options.batch_size or NETWORKS[NETWORK].batch
    pictures = ["--pictures", str(options.pictures)]
    programs = [
        fovea(options, "Fovea", NETWORK, batch_size, *pictures, "--augment", AUGMENTATION, "--loader-threads", "2"),
        *peers(options, LOADING_PEERS, NETWORK, batch_size, *pictures)]
    load = run_in_turn("loading", programs, options)
    comparison = Comparison(NETWORK, batch_size, programs, load)
    return comparison_section("Loading pictures", [comparison], f"""\
### Loading pictures

Decoded, resized to 150×150, turned, moved, sheared, zoomed and mirrored at random, put into batches, by two threads
or workers; the time is that of a batch.

{summary([comparison], "Fovea")}""")
