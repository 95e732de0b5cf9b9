"""The files of a model folder, which is also how its repository on the Hub looks; no others are fetched or sent."""

from __future__ import annotations

CONFIG = "config.json"
GENERATOR = "model.safetensors"
DISCRIMINATOR = "discriminator.safetensors"
NEEDED = (CONFIG, GENERATOR)
FILES = (*NEEDED, DISCRIMINATOR, "README.md", "samples.webp", "metrics.json")
CONFIG_BYTES = 1_000_000  # a config.json above this is refused; ours have about two thousand
