"""The files of a model folder, which is also how its repository on the Hub looks; no others are fetched or sent."""

from __future__ import annotations

CONFIG = "config.json"
GENERATOR = "model.safetensors"
DISCRIMINATOR = "discriminator.safetensors"
NEEDED = (CONFIG, GENERATOR)
MOST_PIECES = 4  # files of one network's weights
PIECE_BYTES = 25_000_000  # above which weights go on in another file: large ones are a burden on every git server


def pieces(file: str) -> tuple[str, ...]:
    """The names of the files that weights may be spread over: `model.safetensors`, `model-2.safetensors` and so on."""
    stem, ending = file.rsplit(".", 1)
    return (file, *(f"{stem}-{number}.{ending}" for number in range(2, MOST_PIECES + 1)))


FILES = (CONFIG, *pieces(GENERATOR), *pieces(DISCRIMINATOR), "README.md", "samples.webp", "metrics.json")
CONFIG_BYTES = 1_000_000  # a config.json above this is refused; ours have about two thousand
