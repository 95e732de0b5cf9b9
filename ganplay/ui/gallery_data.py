"""The checkpoints that come with the program, as plain data and files, read once for all who look."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from ganplay import paths
from ganplay.data import datasets
from ganplay.files import read_json
from ganplay.layout import CONFIG, GENERATOR
from ganplay.losses import losses

FORMAT = "ganplay-model-"  # how the format in a generator's config.json begins
METRICS = "metrics.json"
LARGEST_ZIP = 30_000_000  # bytes of a folder that is packed in memory


class Bundled(NamedTuple):
    """One checkpoint. `about` has title, base, document, data, kind, classes, images, seconds, judges and scores.

    Attributes:
        name: of its folder.
        stamp: changes when its files do; caches tell versions apart by it.
    """

    name: str
    stamp: str
    about: dict[str, Any]


def bundled() -> dict[str, Bundled]:
    """Every readable checkpoint by name: those of documents first, in their order, then those of papers, then ours."""
    found = []
    for path in paths.bundled_checkpoints().glob(f"*/{CONFIG}"):
        folder = path.parent
        try:
            stamp = _stamp(folder)
            found.append(Bundled(folder.name, stamp, _about(folder.name, stamp)))
        except (OSError, KeyError, TypeError, ValueError):  # a classifier, or damaged: it cannot be shown
            continue
    found.sort(key=lambda one: (not one.about["document"].isdigit(), not one.about["document"], one.about["document"],
                                one.name))  # fmt: skip
    return {one.name: one for one in found}


@st.cache_data(show_spinner=False, max_entries=64)
def points(name: str, stamp: str) -> list[dict[str, Any]]:
    """The curves of a checkpoint; empty when it came without."""
    return _metrics(name).get("points") or []


@st.cache_data(show_spinner=False, max_entries=64)
def card(name: str, stamp: str) -> str:
    """The model card without its front matter and its picture, which the page shows itself.

    Raises:
        ValueError: there is none.
    """
    try:
        text = (paths.bundled_checkpoints() / name / "README.md").read_text("utf-8")
    except OSError:
        raise ValueError(f"The checkpoint '{name}' came without a model card.") from None
    body = text.split("\n---\n", 1)[-1]
    return "\n".join(line for line in body.splitlines() if not line.startswith(("<img", "# ")))


def files(name: str) -> dict[str, int]:
    """The names and sizes of a checkpoint's files."""
    folder = paths.bundled_checkpoints() / name
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.is_file()}


def content(name: str, file: str) -> bytes:
    """One file of a checkpoint."""
    return (paths.bundled_checkpoints() / name / file).read_bytes()


@st.cache_data(show_spinner=False, max_entries=2)
def zipped(name: str, stamp: str) -> bytes:
    """The folder as a ZIP file. Nothing is compressed: weights and pictures would hardly become smaller."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_STORED) as archive:
        for file in files(name):
            archive.writestr(f"{name}/{file}", content(name, file))
    return memory.getvalue()


@st.cache_data(show_spinner=False, max_entries=64)
def _about(name: str, stamp: str) -> dict[str, Any]:
    """What is told of a checkpoint.

    Raises:
        KeyError, TypeError, ValueError: it is no generator, or damaged.
    """
    config, metrics = read_json(paths.bundled_checkpoints() / name / CONFIG), _metrics(name)
    if not str(config["format"]).startswith(FORMAT):
        raise ValueError(f"'{name}' is no generator.")
    made = config["recipe"]
    dataset = made["dataset"]
    chosen = datasets[dataset["kind"]]
    side = f", {made['image_size']} x {made['image_size']}" if len(chosen.native) == 3 else ""
    only = f", only {', '.join(dataset['classes'])}" if dataset.get("classes") else ""
    return {
        "title": made["title"] or name,
        "document": str(metrics.get("document") or ""),
        "kind": dataset["kind"],
        "data": f"{chosen.title.split(' (')[0]}{side}{only}",
        "values": dataset,
        "shape": [made["image_size"]] if side else [],
        "images": int(config["images"]),
        "seconds": metrics.get("seconds"),
        "latent": [made["latent"], made["noise"]],
        "conditional": made["generator"].get("conditioning", "none") != "none",
        "judges": not losses[made["loss"]["kind"]].scores,
        "metric": made["metric"],
        "scores": metrics.get("scores") or {},
    }


def _metrics(name: str) -> Mapping[str, Any]:
    """The content of `metrics.json`, or nothing where it cannot be read: the weights may be sampled all the same."""
    try:
        found = read_json(paths.bundled_checkpoints() / name / METRICS)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _stamp(folder: Path) -> str:
    """Changes when a file is replaced.

    Raises:
        OSError: the configuration or the weights are missing.
    """
    found = []
    for name in (CONFIG, GENERATOR, METRICS):
        path = folder / name
        if name != METRICS or path.exists():
            status = path.stat()
            found.append(f"{status.st_mtime_ns:x}.{status.st_size:x}")
    return "-".join(found)
