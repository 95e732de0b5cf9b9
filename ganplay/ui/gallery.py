"""The page "Pretrained": every bundled checkpoint at once, or two to four of them compared."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from ganplay.latent import sampling
from ganplay.scores import distances_to_test
from ganplay.ui import gallery_compare, gallery_data, teaching
from ganplay.ui.drawing import duration, size
from ganplay.ui.gallery_data import Bundled
from ganplay.ui.samples import small
from ganplay.ui.shared import MOST_RUNS

COLUMNS = 3
IDEA = r"""
A trained generator is a file of numbers: load it, feed it noise $z$, and it draws $x = G(z)$. These come with the
program, each trained by it, with the command that its card prints. Their weights are not the last $w$ of training but a
**moving average** $a$ of all, which wavers less than two networks that chase each other:
"""
AVERAGE = r"a \leftarrow \beta\,a + (1 - \beta)\,w, \qquad x = G_a(z)"
EMPTY = "No pretrained checkpoint is here. `python -m ganplay export RUN FOLDER` writes one from a run."


class Prepared(NamedTuple):
    """Checkpoints that one document compares, and what it says of them."""

    title: str
    names: tuple[str, ...]
    claim: str


PREPARED = (
    Prepared(
        "Document 000: DCGAN against WGAN", ("duke-dcgan", "duke-wgan"),
        "In the DCGAN more and more gradients become tiny while it trains, worst in the discriminator's layers 1 to 3 "
        "(figure 4); in the WGAN their number stays about flat.",
    ),
    Prepared(
        "Document 001: three generators", ("cs229-baseline", "cs229-skip", "cs229-parallel"),
        "All three draw about equally well in the end; the parallel branch gets there first, skip connections last "
        "(section 4). D is right less often against the parallel branch, and losses far apart can mean equal pictures.",
    ),
    Prepared(
        "Document 002: simple, intermediate, DCGAN", ("kth-simple", "kth-intermediate", "kth-dcgan"),
        "Even the simplest network draws digits fairly well; with convolutions the specks around them are gone and far "
        "fewer images are needed (section 4.1).",
    ),
    Prepared(
        "Document 003: DCGAN and SAGAN", ("iisc-dcgan", "iisc-sagan"),
        "The SAGAN's losses became negative and it did not seem to learn; its training was very slow.",
    ),
)  # fmt: skip


def gallery() -> None:
    """Draws the page: all checkpoints, or those that the address asks to compare."""
    st.title("Pretrained")
    known = gallery_data.bundled()
    if not known:
        st.info(EMPTY)
        return
    wanted = list(dict.fromkeys(name for name in st.query_params.get("models", "")[:1_000].split(",") if name))
    unknown = [name for name in wanted if name not in known]
    if unknown:
        st.warning(f"There is no checkpoint {', '.join(unknown)[:120]} here.")
    chosen = [name for name in wanted if name in known][:MOST_RUNS]
    if chosen:
        claims = [one.claim for one in PREPARED if set(chosen) == set(one.names)]
        gallery_compare.compare(known, chosen, claims[0] if claims else "")
    else:
        _all(known)
    with st.expander("**Code** · from noise to samples"):
        names = " ".join(chosen[:1]) or next(iter(known))
        st.code(f"python -m ganplay sample {names} --seed 0", language="bash")
        teaching.source(sampling.sample, sampling.generate)


def _all(known: dict[str, Bundled]) -> None:
    teaching.step("Idea", "a trained generator is a file")
    st.markdown(IDEA)
    st.latex(teaching.in_lines(AVERAGE))
    teaching.step("Do", "compare two to four of them")
    ready = [one for one in PREPARED if set(one.names) <= set(known)]
    if ready:
        with st.container(horizontal=True):
            for one in ready:
                st.button(one.title, icon="⚖️", key=f"prepared:{one.title}", on_click=gallery_compare.show,
                          args=(list(one.names),))  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.multiselect(
            "Or choose", list(known), max_selections=MOST_RUNS, key="gallery:picked", placeholder="two to four",
            format_func=lambda name: f"{name} · {known[name].about['title']}",
        )  # fmt: skip
        if st.button("Compare", type="primary", icon="⚖️", disabled=len(picked) < 2, key="gallery:compare"):
            gallery_compare.show(list(picked))
            st.rerun()
    teaching.step("See", f"all {len(known)} of them, the first samples of seed 0")
    everything = list(known.values())
    for start in range(0, len(everything), COLUMNS):  # in rows, so that a phone shows them in this order
        for one, column in zip(everything[start : start + COLUMNS], st.columns(COLUMNS), strict=False):
            with column, st.container(border=True, height="stretch"):
                _card(one)


def _card(one: Bundled) -> None:
    about = one.about
    try:
        st.image(small(one.name), width="stretch", alt=f"Samples of {one.name}")
    except ValueError as error:
        st.caption(str(error))
    st.markdown(f"**{about['title']}**  \n:small[`{one.name}` · {facts(about)}]")
    told = summary(about["scores"])
    st.caption(told or "Not measured.")
    with st.container(horizontal=True):
        st.link_button("Studio", f"/studio/?source=checkpoint:{one.name}", icon="🎨")
        if st.button("Card and files", icon="📄", key=f"card:{one.name}"):
            _details(one)


def facts(about: dict[str, Any]) -> str:
    """What a checkpoint follows, what it was trained on and for how long, in a line."""
    document = about["document"]
    said = [f"document {document}" if document.isdigit() else document, about["data"], f"{about['images']:,} images"]
    if about["seconds"]:
        said.append(duration(about["seconds"]))
    return " · ".join(part for part in said if part)


def summary(scores: dict[str, Any]) -> str:
    """The scores of a checkpoint in a sentence: its distance to the test images, recall, what is recognised."""
    said, figures = [], scores.get("figures", [])
    distances = distances_to_test(figures)
    if distances:
        said.append(f"FD to the test set {distances[0]:.3g} (training images {distances[1]:.2g})")
    for figure in figures:
        if figure["group"] or figure["value"] is None or figure["real"] is None:
            continue
        if figure["metric"] == "recognised":
            said.append(f"{figure['value']:.1%} recognised as the class asked for (real {figure['real']:.1%})")
        elif figure["name"].startswith("recall"):
            said.append(f"recall {figure['value']:.2f} (real {figure['real']:.2f})")
    by = next((figure["features"] for figure in figures if figure["metric"] == "frechet-distance"), "")
    return f"{', '.join(said)}; {scores['samples']:,} samples, {by}." if said else ""


@st.dialog("Card and files", width="large")
def _details(one: Bundled) -> None:
    """The model card with the files to download."""
    st.subheader(one.about["title"], anchor=False)
    found = gallery_data.files(one.name)
    with st.container(horizontal=True):
        if sum(found.values()) <= gallery_data.LARGEST_ZIP:
            st.download_button(
                f"All files ({size(sum(found.values()))})", lambda: gallery_data.zipped(one.name, one.stamp),
                f"{one.name}.zip", "application/zip", icon="⬇️", key=f"zip:{one.name}", on_click="ignore",
            )  # fmt: skip
        for file in found:
            if file.endswith(".safetensors"):
                st.download_button(
                    f"{file} ({size(found[file])})", lambda file=file: gallery_data.content(one.name, file),
                    f"{one.name}-{file}", "application/octet-stream", icon="⬇️", key=f"{file}:{one.name}",
                    on_click="ignore",
                )  # fmt: skip
    try:
        st.markdown(gallery_data.card(one.name, one.stamp))
    except ValueError as error:
        st.caption(str(error))
