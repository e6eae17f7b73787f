"""Writes colors.json: every 15th colour of matplotlib's maps, red, green and blue from 0 to 255.

    python make_colors.py    # needs matplotlib 3
"""

import json
import pathlib

import matplotlib
import numpy

names = ["viridis", "magma", "gray", "gray_r", "seismic", "turbo"]
colors = {}
for name in names:
    table = matplotlib.colormaps[name](numpy.arange(0, 256, 15), bytes=True)[:, :3]
    colors[name] = table.tolist()
path = pathlib.Path(__file__).with_name("colors.json")
path.write_text(json.dumps(colors) + "\n")
