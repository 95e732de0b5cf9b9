"""Where the weights come from: the list of all sources, and a model of the Hugging Face Hub that joins it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ganplay import hub
from ganplay.studio import actions
from ganplay.studio.lanes import CONTROL, LOCAL, SAMPLING, spoken

_ASKED = 0.7  # seconds between two looks at a download

# In the browser, which alone knows what is still waited for when an answer comes.
_TAKE = "(wanted, report) => report && report.key === wanted ? report.updates : []"


@dataclass(frozen=True)
class Picker:
    """The parts of the picker that the page fills."""

    source: gr.Dropdown
    refresh: gr.Button
    about: gr.Markdown


def build() -> Picker:
    """The list with its button, the box of the Hub, and the line about what is chosen."""
    with gr.Row():
        source = gr.Dropdown(
            [], value=None, label="Checkpoint or run (write to search)", scale=8, min_width=260, elem_classes="source"
        )  # fmt: skip
        refresh = gr.Button("Refresh", scale=1, min_width=90, elem_classes="refresh")
    with gr.Accordion("A model on the Hugging Face Hub", open=False, elem_classes="hub"):
        _hub(source)
    return Picker(source, refresh, gr.Markdown(elem_classes="about"))


def _hub(source: gr.Dropdown) -> None:
    """A download in the background, which other viewers may have asked for too: leaving it alone stops nothing."""
    with gr.Row():
        repository = gr.Textbox(label="Repository", placeholder="owner/name", max_length=200, scale=4, min_width=180)
        revision = gr.Textbox(label="Revision", placeholder="main", max_length=100, scale=2, min_width=120)
        load = gr.Button("Load", variant="primary", scale=1, min_width=90)
        cancel = gr.Button("Do not wait", scale=1, min_width=110, visible=False)
    status = gr.Markdown()
    wanted = gr.Textbox(visible=False)  # the key that is waited for; the browser keeps it
    report = gr.JSON(visible=False)  # of the last look
    timer = gr.Timer(_ASKED, active=False)
    outputs = [wanted, timer, cancel, status, source]

    gr.on(
        [load.click, repository.submit, revision.submit], spoken(_begin), [repository, revision], outputs,
        **SAMPLING, **CONTROL,
    )  # fmt: skip
    timer.tick(spoken(_look), [wanted], [report], **SAMPLING, **CONTROL).success(
        None, [wanted, report], outputs, js=_TAKE, **LOCAL
    )
    quiet = ["", gr.update(active=False), gr.update(visible=False), "The download goes on without you."]
    cancel.click(None, None, outputs, js=f"() => {json.dumps(quiet)}", **LOCAL)


def _begin(repository: str, revision: str) -> list[Any]:
    return _report(actions.hub_key(repository, revision), retry=True)


def _look(wanted: str) -> dict[str, Any]:
    """A report with the key it is about: somebody who no longer waits for that one must not wait again."""
    return {"key": wanted, "updates": _report(wanted) if wanted else []}


def _report(key: str, retry: bool = False) -> list[Any]:
    """How the download is going; once it is here, the list knows it and it is chosen."""
    going = hub.fetch(key, retry=retry)
    live = going.state in ("waiting", "loading")
    share = f" ({going.progress:.0%})" if going.state == "loading" else ""
    arrived = gr.update(choices=actions.choices(), value=key) if going.state == "ready" else gr.skip()
    return [key if live else "", gr.update(active=live), gr.update(visible=live), going.message + share, arrived]
