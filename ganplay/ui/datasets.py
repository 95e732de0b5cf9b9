"""The choice of data, with a way to bring one's own pictures."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from ganplay.data import catalogue
from ganplay.data.pictures import ImportReport, Pictures, delete_pictures, import_pictures, picture_sets
from ganplay.recipe import Recipe
from ganplay.ui import forms
from ganplay.ui.shared import attempt, sentence

OWN = Pictures.kind
_importing = threading.Lock()  # of the whole server: an import takes memory and a processor


def dataset_inputs(recipe: Recipe, key: str) -> dict[str, Any]:
    """Draws the choice of data and its fields; all values that decide the data, by path."""
    entries = {entry["kind"]: entry for entry in catalogue.describe()}
    left, right = st.columns([1, 2], vertical_alignment="top")
    kinds = list(entries)
    with left:
        kind = st.selectbox(
            "Data", kinds, kinds.index(recipe.dataset.kind), key=f"{key}:kind",
            format_func=lambda kind: entries[kind]["title"],  # a label that changed would lose the choice
            help="Digits come with the program and need no network. All recipes work on them.",
        )  # fmt: skip
        if kind != OWN and not entries[kind]["available"]:
            st.caption("Downloads on first use.")
    values: dict[str, Any] = {"dataset": kind}
    if kind == OWN:
        with left:
            values |= _own_pictures(recipe, key)
    chosen = recipe.change(values)
    with right:
        names = entries[kind]["class_names"] if kind != OWN else chosen.dataset.class_names
        fields = [s for s in chosen.settings() if s.path.startswith("dataset.") and s.path != "dataset.name"]
        if names and any(s.path == "dataset.classes" for s in fields):
            kept = [name for name in chosen.dataset.classes if name in names]
            classes = st.multiselect(
                "Only these classes", names, kept, key=f"{key}:{kind}:classes", placeholder="all of them"
            )
            values["dataset.classes"] = tuple(classes)
        plain = {s.path for s in fields if s.path != "dataset.classes"}
        values |= {s.path: s.value for s in fields if s.path in plain}
        values |= forms.setting_inputs(chosen, lambda path: path in plain, f"{key}:{kind}")
    return values


def _own_pictures(recipe: Recipe, key: str) -> dict[str, Any]:
    """Draws the choice among imported sets, and the import."""
    values = {}
    sets = picture_sets()
    if sets:
        known = [found.name for found in sets]
        counts = {found.name: found.count for found in sets}
        now = getattr(recipe.dataset, "name", "")
        values["dataset.name"] = st.selectbox(
            "Set of pictures", known, known.index(now) if now in known else len(known) - 1, key=f"{key}:name",
            format_func=lambda name: f"{name} ({counts[name]:,} pictures)",
        )  # fmt: skip
    with st.popover("Bring your own pictures", icon="📁", width="stretch"):
        _import()
    if sets:
        _deletion(values["dataset.name"], counts[values["dataset.name"]])
    return values


def _deletion(name: str, count: int) -> None:
    with st.popover(f"Delete '{name}'", icon="🗑️", width="stretch"):
        st.markdown(f"Delete the {count:,} pictures of '{name}'? Runs that learned from them cannot be resumed then.")
        st.button("Yes, delete them", type="primary", key=f"delete-set:{name}", on_click=attempt,
                  args=(delete_pictures, name))  # fmt: skip


def _import() -> None:
    st.caption("A zip of at least 16 pictures; two or more folders inside become classes. Nothing leaves this server.")
    uploaded = st.file_uploader("Zip of pictures", type="zip", key="upload")
    stem = Path(uploaded.name).stem.lower() if uploaded else ""
    suggested = re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:40]
    name = st.text_input("Name of the set", suggested, max_chars=40, key=f"upload:{suggested}", placeholder="pets")
    if st.button("Import", disabled=uploaded is None or not name, type="primary"):
        progress = st.progress(0.0, "Reading the zip")
        try:
            report = _stored(uploaded, name, lambda text, share: progress.progress(min(1.0, share), text))
        except (ValueError, OSError) as error:
            progress.empty()
            st.error(sentence(error).replace("'upload.zip'", f"'{uploaded.name}'"))
            return
        st.session_state["imported"] = {
            "name": report.name, "count": report.count, "classes": len(report.class_names),
            "skipped": [list(entry) for entry in report.skipped[:200]], "all": len(report.skipped),
        }  # fmt: skip
        st.rerun()


def _stored(uploaded: Any, name: str, progress: Callable[[str, float], None]) -> ImportReport:
    """Imports an uploaded zip.

    Raises:
        ValueError: the zip is refused, or somebody's import is running.
        OSError: the disk is full.
    """
    if not _importing.acquire(blocking=False):
        raise ValueError("Another import is running on this server; try again when it has ended.")
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "upload.zip"
            path.write_bytes(uploaded.getbuffer())
            return import_pictures(path, name, progress)
    finally:
        _importing.release()


def show_import() -> None:
    """Shows what the last import kept and skipped, once."""
    report = st.session_state.pop("imported", None)
    if report is None:
        return
    classes = f" in {report['classes']} classes" if report["classes"] else ""
    st.success(f"Imported {report['count']:,} pictures{classes} as '{report['name']}'.")
    if report["skipped"]:
        st.warning("1 file was skipped." if report["all"] == 1 else f"{report['all']:,} files were skipped.")
        st.dataframe([{"file": file, "why": why} for file, why in report["skipped"]], height=200)
