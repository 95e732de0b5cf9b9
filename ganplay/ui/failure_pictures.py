"""Figures of what a story's measures are about: the spectrum of checkerboards, the copies of a memorising generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import streamlit as st

from ganplay.charts import failure_spectrum as figures
from ganplay.charts.style import PALETTE, colour
from ganplay.ui import background, drawing, failure_measuring, failure_runs
from ganplay.ui.failure_runs import Trained

SPECTRUM, COPIES = "checkerboard", "memorised"  # what a story's diagnosis must find for the figure to be about it
GREY = PALETTE[5]


def is_measuring(kind: str, members: Sequence[Trained]) -> bool:
    """True while one of the figures is being computed."""
    return any(not asked.done() for asked in (*_spectra(kind, members), *_copies(kind, members)))


def section(kind: str, members: Sequence[Trained]) -> None:
    """Draws the figures that belong to a story, as far as they are computed."""
    try:
        spectra = [background.answer(asked) for asked in _spectra(kind, members)]
        if spectra and all(spectra):
            _draw_spectra([one.label for one in members], spectra)
        for one, asked in zip(members, _copies(kind, members), strict=False):
            _draw_copies(one.label, background.answer(asked))
    except ValueError as error:
        st.warning(str(error))


def _draw_spectra(labels: Sequence[str], spectra: Sequence[Mapping[str, list[float]]]) -> None:
    named = {label: one["made"] for label, one in zip(labels, spectra, strict=True)}
    named[figures.REAL] = spectra[0]["real"]
    colours = [*(colour(place) for place in range(len(labels))), GREY]
    drawing.legend(zip(colours, named, strict=True))
    form = drawing.plain(figures.spectrum(figures.rows(named), list(named), colours))
    st.vega_lite_chart(form, width="stretch", key="failure:spectrum")
    st.caption("A checkerboard is a pattern with a period of two pixels: it stands at the right edge, at 1/2.")


def _draw_copies(label: str, found: dict[str, Any] | None) -> None:
    if found is None:
        return
    st.markdown(f"**{label}**: samples (upper rows) and the training sample nearest to each (below it)")
    st.image(found["picture"], width="stretch", alt=f"Samples of {label} above their nearest training samples")


def _spectra(kind: str, members: Sequence[Trained]) -> list[Future]:
    return _asked(kind, members, SPECTRUM, failure_measuring.spectra)


def _copies(kind: str, members: Sequence[Trained]) -> list[Future]:
    return _asked(kind, members, COPIES, failure_measuring.copies)


def _asked(kind: str, members: Sequence[Trained], finding: str, ask: Callable[[str, str], Future]) -> list[Future]:
    """The computations of one figure; none for a story about something else, or before all runs have a checkpoint."""
    if getattr(failure_runs.story(kind), "finding", "") != finding:
        return []
    newest = [one.run.checkpoints()[:1] for one in members]
    if not all(newest):
        return []
    return [ask(one.run.id, paths[0].name) for one, paths in zip(members, newest, strict=True)]
