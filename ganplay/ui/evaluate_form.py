"""The choice of what to evaluate: in the address, in the form, and kept while other pages are visited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from ganplay.evaluations.asks import FEWEST, LARGEST_SEED, MOST, REFERENCES, Ask, images_now
from ganplay.metrics.features import feature_set, features
from ganplay.sources import RUN, Source, sources
from ganplay.ui.shared import MOST_RUNS

Choice = dict[str, Any]  # sources, and the settings of an `Ask` by name
AUTO = "auto"
FIRST = "checkpoint:quick-digits"  # whose data every computer has
DEFAULT: Choice = {"samples": 1_000, "features": AUTO, "reference": "train", "seed": 0}
NAMES = ("source", *DEFAULT)  # in an address
LONGEST = 200  # characters of one value in a link


def key_of(name: str) -> str:
    """The key of a widget."""
    return f"evaluate:{name}"


def prepare() -> tuple[Choice, dict[str, Source], list[str]]:
    """What is chosen at the moment, before the form is drawn.

    Returns:
        the choice, all that can be chosen by key, and a sentence for each thing in the address that is not allowed.
    """
    known = {source.key: source for source in sources()}
    kinds = available_features()
    asked = {name: st.query_params.get_all(name) for name in NAMES if name in st.query_params}
    kept = st.session_state.get("evaluate") or {"sources": [FIRST] if FIRST in known else list(known)[:1], **DEFAULT}
    sentences: list[str] = []
    if asked and asked != st.session_state.get(key_of("link")):
        kept, sentences = parse(asked, known, kinds)
        st.session_state[key_of("link")] = asked
        _fill(kept)
    elif key_of("sources") not in st.session_state:  # the page was left, and its widgets with it
        _fill(kept)
    state = st.session_state
    present = [key for key in state[key_of("sources")] if key in known]
    if present != state[key_of("sources")]:  # deleted meanwhile
        state[key_of("sources")] = present
    if state[key_of("features")] not in kinds:
        state[key_of("features")] = AUTO
    return {"sources": present, **{name: state[key_of(name)] for name in DEFAULT}}, known, sentences


def draw(known: Mapping[str, Source]) -> Choice:
    """Draws the form; what is chosen now. The address follows."""
    names = titles(known)
    chosen: Choice = {}
    with st.container(border=True):
        chosen["sources"] = st.multiselect(
            "Checkpoints and runs", list(known), key=key_of("sources"), max_selections=MOST_RUNS,
            format_func=lambda key: f"{names.get(key, key)} ({known[key].detail})" if key in known else key,
            placeholder="choose up to four",
        )  # fmt: skip
        places = st.columns(4)
        chosen["samples"] = places[0].number_input(
            "Samples", FEWEST, MOST, step=500, key=key_of("samples"),
            help=f"Generated and compared; {FEWEST:,} to {MOST:,}. A thousand take some ten seconds, "
            "ten thousand some minutes, and make the figures surer.",
        )  # fmt: skip
        kinds = available_features()
        chosen["features"] = places[1].selectbox(
            "Compared by", list(kinds), key=key_of("features"), format_func=kinds.get,
            help="What two samples are compared by. Automatic: a network that knows such pictures, else their pixels. "
            "Inception, behind FID, KID and IS, is offered once its weights are on this computer.",
        )  # fmt: skip
        chosen["reference"] = places[2].selectbox(
            "Compared with", REFERENCES, key=key_of("reference"), format_func=lambda split: f"the {split} split",
            help="The real samples to compare with. Those of the other split stand for real data.",
        )  # fmt: skip
        chosen["seed"] = places[3].number_input(
            "Seed", 0, LARGEST_SEED, step=1, key=key_of("seed"), help="Of the generated samples and of every choice."
        )
    st.session_state["evaluate"] = chosen
    _follow(chosen)
    return chosen


def asks(choice: Choice) -> list[Ask]:
    """An ask for each chosen source."""
    settings = {name: choice[name] for name in DEFAULT}
    return [Ask(source, **settings) for source in choice["sources"]]


def parse(
    asked: Mapping[str, Sequence[str]], known: Mapping[str, Source], kinds: Mapping[str, str]
) -> tuple[Choice, list[str]]:
    """The choice that an address describes, and one sentence for each part that is not allowed."""
    choice: Choice = {"sources": [], **DEFAULT}
    sentences = []
    texts = list(dict.fromkeys(text for text in asked.get("source", ()) if text))
    for text in texts[:MOST_RUNS]:
        if text in known:
            choice["sources"].append(text)
        else:
            sentences.append(_unknown(text[:LONGEST]))
    if len(texts) > MOST_RUNS:
        sentences.append(f"The link names {len(texts)} checkpoints and runs; the first {MOST_RUNS} are used.")
    for name, low, high in (("samples", FEWEST, MOST), ("seed", 0, LARGEST_SEED)):
        text = (asked.get(name) or [str(DEFAULT[name])])[0]
        if text.isascii() and text.isdecimal() and len(text) <= 10 and low <= int(text) <= high:
            choice[name] = int(text)
        else:
            sentences.append(f"{name} is {text[:40]!r} in the link; it must be a whole number, {low:,} to {high:,}.")
    for name, allowed in (("features", list(kinds)), ("reference", list(REFERENCES))):
        text = (asked.get(name) or [DEFAULT[name]])[0]
        if text in allowed:
            choice[name] = text
        else:
            sentences.append(f"{name} is {text[:40]!r} in the link; it must be one of {', '.join(allowed)}.")
    return choice, sentences


def query(choice: Choice) -> str:
    """The query string of a link, without the question mark."""
    return urlencode(_address(choice), doseq=True, safe=":,")


def available_features() -> dict[str, str]:
    """Feature sets that need no download, by name, with what a reader calls them."""
    found = {kind: feature_set(kind) for kind in features}
    return {AUTO: "automatic"} | {kind: one.title for kind, one in found.items() if one.available()}


def titles(known: Mapping[str, Source]) -> dict[str, str]:
    """A different name for each source."""
    counts: dict[str, int] = {}
    for source in known.values():
        counts[source.title] = counts.get(source.title, 0) + 1
    return {
        key: source.title if counts[source.title] == 1 else f"{source.title} ({_suffix(key)})"
        for key, source in known.items()
    }


def _unknown(text: str) -> str:
    """Why a source in a link cannot be chosen."""
    try:
        images_now(text)
    except ValueError as error:
        return str(error)
    return f"The checkpoint or run {text!r} cannot be read."


def _suffix(key: str) -> str:
    """What tells sources of one title apart: the end of a run's id, or a checkpoint's name."""
    return key[-4:] if key.startswith(RUN) else key.split(":", 1)[1]


def _fill(choice: Choice) -> None:
    """Puts a choice into the widgets, before they are drawn."""
    for name, value in choice.items():
        st.session_state[key_of(name)] = list(value) if isinstance(value, list) else value


def _follow(choice: Choice) -> None:
    """Keeps the address in step with the form."""
    address = _address(choice)
    if address != {name: st.query_params.get_all(name) for name in NAMES if name in st.query_params}:
        st.query_params.from_dict(address)
        st.session_state[key_of("link")] = address


def _address(choice: Choice) -> dict[str, list[str]]:
    """What an address says: the sources, and settings that are not those of a fresh form."""
    settings = {name: [str(choice[name])] for name, value in DEFAULT.items() if choice[name] != value}
    return ({"source": list(choice["sources"])} if choice["sources"] else {}) | settings
