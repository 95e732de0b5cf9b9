"""The studio's page: choose a checkpoint or a run, sample it with a seed, walk between two seeds.

`build` makes the page, `mount` makes an application that a server can carry at any path, `main` serves it alone.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
from fastapi import FastAPI

from ganplay.latent.interpolation import METHODS
from ganplay.latent.sampling import STRIP
from ganplay.runs.limits import cores
from ganplay.studio import actions, look

QUEUE = 64  # waiting requests beyond which a browser is told to try again later
_SEEDS, _COUNT, _MOST = 9_999, 64, 256  # what the sliders reach; programs may ask for more
_NEW_SEED = f"() => Math.floor(Math.random() * {_SEEDS + 1})"
_KEPT = 600  # seconds that a picture stays on the server's disk
_UPLOAD = "1kb"  # of a file that somebody sends: nothing here takes one, and Gradio has no switch
_IDLE = 0.02  # seconds between two looks at an empty queue; Gradio's own 0.001 takes a 14th of a core for ever
_WORK: dict[str, Any] = {"concurrency_limit": cores(), "concurrency_id": "sampling"}
# A control of the page: nothing a program should call, raw values in (the functions check them), the last one wins.
_LIVE: dict[str, Any] = _WORK | {
    "preprocess": False, "trigger_mode": "always_last", "show_progress": "hidden", "api_visibility": "private",
}  # fmt: skip


def build() -> gr.Blocks:
    """The studio as Gradio blocks, with its queue. Theme and style are `settings`, given when it is mounted."""
    with gr.Blocks(title="ganplay studio", analytics_enabled=False, delete_cache=(_KEPT, _KEPT)) as blocks:
        _programming_interface()  # before the page's own events, which would take its names
        gr.Markdown("# Studio\nEvery picture is made by a generator from random numbers; a seed names the numbers.")
        with gr.Row():
            source = gr.Dropdown([], label="Checkpoint or run", scale=8, min_width=300, elem_classes="source")
            refresh = gr.Button("Refresh", scale=1, min_width=90, elem_classes="refresh")
        about = gr.Markdown()
        empty = gr.Markdown(actions.EMPTY, visible=False)
        with gr.Tabs(visible=False) as tabs:
            drawings = [_sample_tab(source), _interpolation_tab(source)]
        _listing(blocks, source, refresh, about, empty, tabs, drawings)
    blocks.queue(max_size=QUEUE, default_concurrency_limit=cores())
    blocks._queue.sleep_when_free = _IDLE
    return blocks


def settings() -> dict[str, Any]:
    """Keyword arguments for `gr.mount_gradio_app` or `launch`: looks, and nothing that reaches beyond this server."""
    return {
        "theme": look.theme(), "css": look.CSS, "footer_links": ["api"], "run_history": False, "ssr_mode": False,
        "enable_monitoring": False, "mcp_server": False, "max_file_size": _UPLOAD,
    }  # fmt: skip


def mount() -> FastAPI:
    """An application that serves the studio at its root. Whoever mounts it must enter its lifespan."""
    return gr.mount_gradio_app(FastAPI(), build(), path="/", **settings())


def main(port: int = 7860) -> None:
    """Serves the studio alone, on this computer only, until it is interrupted."""
    build().launch(server_name="127.0.0.1", server_port=port, share=False, **settings())


def _sample_tab(source: gr.Dropdown) -> tuple[Any, list[Any], gr.Image]:
    with gr.Tab("Sample"), gr.Row():
        with gr.Column(scale=2, min_width=280):
            seed = gr.Slider(0, _SEEDS, value=0, step=1, label="Seed")
            count = gr.Slider(1, _MOST, value=_COUNT, step=1, label="How many samples")
            new = gr.Button("New seed", variant="primary")
        picture = _picture("Samples of the chosen seed")
    drawing = actions.sample, [source, seed, count], picture
    _draw_live(drawing, (seed, count))
    new.click(None, None, seed, js=_NEW_SEED, api_visibility="private").then(*drawing, **_LIVE)
    return drawing


def _interpolation_tab(source: gr.Dropdown) -> tuple[Any, list[Any], gr.Image]:
    with gr.Tab("Interpolate"), gr.Row():
        with gr.Column(scale=2, min_width=280):
            first = gr.Slider(0, _SEEDS, value=0, step=1, label="First seed", info="The picture at the top left.")
            second = gr.Slider(0, _SEEDS, value=1, step=1, label="Second seed", info="The last picture.")
            ways = [("great circle (slerp)", "slerp"), ("straight line (lerp)", "lerp")]
            method = gr.Radio(ways, value="slerp", label="Way between", info=f"{STRIP} steps, read row by row.")
            new = gr.Button("New seeds", variant="primary")
            steps = gr.Number(STRIP, visible=False)
        picture = _picture("Pictures on the way from the first seed to the second, in rows of seven")
    drawing = actions.interpolate, [source, first, second, method, steps], picture
    _draw_live(drawing, (first, second, method))
    both = f"() => [({_NEW_SEED})(), ({_NEW_SEED})()]"
    new.click(None, None, [first, second], js=both, api_visibility="private").then(*drawing, **_LIVE)
    return drawing


def _picture(alternative: str) -> gr.Image:
    with gr.Column(scale=5, min_width=300):
        return gr.Image(
            interactive=False, show_label=False, buttons=["download", "fullscreen"],
            elem_classes="picture", alt_text=alternative,
        )  # fmt: skip


def _draw_live(drawing: tuple[Any, list[Any], gr.Image], controls: tuple[Any, ...]) -> None:
    for control in controls:
        control.input(*drawing, **_LIVE)


def _listing(
    blocks: gr.Blocks, source: gr.Dropdown, refresh: gr.Button, about: gr.Markdown, empty: gr.Markdown, tabs: gr.Tabs,
    drawings: list[tuple[Any, list[Any], gr.Image]],
) -> None:  # fmt: skip
    """Fills the list when the page opens and on demand, and draws when another source or newer weights show up."""

    def fill(chosen: str | None, request: gr.Request) -> list[Any]:
        known = actions.choices()
        keys = [key for _, key in known]
        wanted = [chosen, request.query_params.get("source"), *keys]  # a link may name one: ?source=run:ID
        value = next((key for key in wanted if key in keys), None)
        found = bool(keys)
        return [gr.Dropdown(known, value=value), gr.Markdown(visible=not found), gr.Tabs(visible=found)]

    def draw(chosen: str | None, *values: Any) -> list[Any]:
        if not chosen:
            return ["", None, None]
        count = len(drawings[0][1]) - 1
        return [
            describe(chosen),
            actions.sample(chosen, *values[:count]),
            actions.interpolate(chosen, *values[count:]),
        ]

    describe = actions.spoken(actions.describe)
    inputs = [source, *drawings[0][1][1:], *drawings[1][1][1:]]
    outputs = [about, drawings[0][2], drawings[1][2]]
    for event in (blocks.load, refresh.click):
        filled = event(
            fill, source, [source, empty, tabs], preprocess=False, show_progress="hidden", api_visibility="private"
        )
        filled.then(draw, inputs, outputs, **_LIVE)
    source.input(draw, inputs, outputs, **_LIVE)


def _programming_interface() -> None:
    """The endpoints `/sources`, `/sample` and `/interpolate`, on inputs of their own: a program has no page."""
    gr.api(actions.list_sources, api_name="sources")
    source = gr.Textbox(label="Source", info="a key from /sources", visible=False)
    seed = gr.Number(0, label="Seed", precision=0, visible=False)
    first = gr.Number(0, label="First seed", precision=0, visible=False)
    count = gr.Number(_COUNT, label="Count", precision=0, visible=False)
    second = gr.Number(1, label="Second seed", precision=0, visible=False)
    method = gr.Textbox("slerp", label="Method, " + " or ".join(METHODS), visible=False)
    steps = gr.Number(STRIP, label="Steps", precision=0, visible=False)
    picture = gr.Image(label="Picture", visible=False)
    call = gr.Button(visible=False)
    call.click(actions.sample, [source, seed, count], picture, api_name="sample", preprocess=False, **_WORK)
    inputs = [source, first, second, method, steps]
    call.click(actions.interpolate, inputs, picture, api_name="interpolate", preprocess=False, **_WORK)


if __name__ == "__main__":
    main()
