"""The studio's page: choose a source, and draw from it in seven ways.

`build` makes the page, `mount` makes an application that a server can carry at any path, `main` serves it alone.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr
from fastapi import FastAPI

from ganplay.studio import actions, look, picker, programs
from ganplay.studio.lanes import CONTROL, LOCAL, SAMPLING, open_queue, spoken
from ganplay.studio.scene import Tab
from ganplay.studio.tabs import arithmetic, classes, directions, game, interpolate, neighbours, sample

TABS = (sample, interpolate, arithmetic, classes, directions, neighbours, game)
_KEPT = 600  # seconds that a file stays on the server's disk
_UPLOAD = "1kb"  # of a file that somebody sends: nothing here takes one, and Gradio has no switch
INTRODUCTION = "# Studio\nEvery picture is made by a generator from random numbers; a seed names the numbers."


def build() -> gr.Blocks:
    """The studio as Gradio blocks, with its queue. Theme and style are `settings`, given when it is mounted."""
    with gr.Blocks(
        title="ganplay studio", analytics_enabled=False, fill_width=True, delete_cache=(_KEPT, _KEPT)
    ) as blocks:
        programs.build()  # before the page's own events, which would take its names
        gr.Markdown(INTRODUCTION)
        chosen = picker.build()
        empty = gr.Markdown(actions.EMPTY, visible=False)
        current = gr.Textbox(visible=False)  # the name of the open tab; the browser keeps it
        with gr.Tabs(visible=False, overflow_behavior="wrap") as row:
            tabs = [module.build(chosen.source) for module in TABS]
        _enter_when_asked(chosen, current, tabs)
        _listing(blocks, chosen, empty, row, current, tabs)
    open_queue(blocks)
    return blocks


def settings() -> dict[str, Any]:
    """Keyword arguments for `gr.mount_gradio_app` or `launch`: looks, and nothing that reaches beyond this server."""
    return {
        "theme": look.theme(), "css": look.CSS, "head": f"<script>{game.KEYS}</script>", "footer_links": ["api"],
        "run_history": False, "ssr_mode": False, "enable_monitoring": False, "mcp_server": False,
        "max_file_size": _UPLOAD,
    }  # fmt: skip


def mount() -> FastAPI:
    """An application that serves the studio at its root. Whoever mounts it must enter its lifespan."""
    return gr.mount_gradio_app(FastAPI(), build(), path="/", **settings())


def main(port: int = 7860, host: str = "127.0.0.1") -> None:
    """Serves the studio alone until it is interrupted.

    Raises:
        ValueError: the port cannot be had.
    """
    blocks = build()
    address = {"server_name": host, "server_port": port, "share": False, "quiet": True, "prevent_thread_lock": True}
    try:
        blocks.launch(**address, **settings(), state_session_capacity=blocks.state_session_capacity)
    except OSError:
        raise ValueError(f"Port {port} of {host} is in use or not allowed; choose another with --port.") from None
    print(f"The studio is at http://{host}:{port}/ until Ctrl-C.", flush=True)
    blocks.block_thread()


def _enter_when_asked(chosen: picker.Picker, current: gr.Textbox, tabs: Sequence[Tab]) -> None:
    """Draws the tab that a person opens, and the open one when another source is chosen.

    Both are one event of the tab, and its controls are another, for only of one event does Gradio keep the answers in
    order. A picture of the one may still come later than a newer one of the other; then it is drawn again.
    """
    turns = [gr.Textbox(elem_classes="unseen") for _ in tabs]  # each changes when its tab is to be drawn
    fresh = "String(Math.random())"
    draw = f"name => [name, ...{json.dumps([tab.name for tab in tabs])}.map(one => one === name ? {fresh} : undefined)]"
    for tab, turn in zip(tabs, turns, strict=True):
        name = json.dumps(tab.name)
        tab.block.select(
            None, current, [current, turn], js=f"open => open === {name} ? [] : [{name}, {fresh}]", **LOCAL
        )
        turn.change(_enter(tab), [chosen.source, *tab.inputs], tab.outputs, **tab.lane, **CONTROL)
        for shown in tab.shows:
            other = "JSON.parse(shown || '[]').some((value, place) => value !== now[place])"
            late = f"(shown, ...now) => {other} ? {fresh} : undefined"
            shown.change(None, [shown, chosen.source, *tab.inputs], turn, js=late, **LOCAL)
    chosen_anew = [chosen.source.change, chosen.refresh.click]
    gr.on(chosen_anew, spoken(_describe), chosen.source, chosen.about, **SAMPLING, **CONTROL)
    gr.on(chosen_anew, None, current, [current, *turns], js=draw, **LOCAL)


def _describe(source: str | None) -> str:
    return actions.describe(source) if source else ""


def _enter(tab: Tab) -> Callable[..., Any]:
    """`enter` of a tab, once there is a source."""
    nothing = [gr.skip()] * len(tab.outputs)

    def enter(source: str | None, *values: Any) -> Any:
        return tab.enter(source, *values) if source else nothing

    def stream(source: str | None, *values: Any) -> Iterator[list[Any]]:
        yield from tab.enter(source, *values) if source else [nothing]

    return spoken(stream if inspect.isgeneratorfunction(tab.enter) else enter)


def _listing(
    blocks: gr.Blocks, chosen: picker.Picker, empty: gr.Markdown, row: gr.Tabs, current: gr.Textbox, tabs: Sequence[Tab]
) -> None:
    """Fills the list when the page opens, as its link wishes (`?source=KEY&tab=NAME&seed=N`), and on demand."""
    names = [tab.name for tab in tabs]
    seeds = [tab.seed for tab in tabs if tab.seed is not None]

    def fill(value: str | None, wanted: str | None = None) -> list[Any]:
        known = actions.choices()
        keys = [key for _, key in known]
        value = next((key for key in (value, wanted, *keys) if key in keys), None)
        return [gr.update(choices=known, value=value), gr.update(visible=not keys), gr.update(visible=bool(keys))]

    def open_page(request: gr.Request) -> list[Any]:
        asked = request.query_params
        tab = asked.get("tab") if asked.get("tab") in names else names[0]
        seed = asked.get("seed", "")
        seeded = gr.update(value=int(seed)) if seed.isdecimal() and len(seed) < 10 else gr.skip()
        source, nothing, tabs_there = fill(None, asked.get("source"))
        tabs_there = tabs_there | {"selected": tab}
        return [source, nothing, tabs_there, tab, *[seeded] * len(seeds)]

    outputs = [chosen.source, empty, row]
    blocks.load(open_page, None, [*outputs, current, *seeds], show_progress="hidden", api_visibility="private")
    chosen.refresh.click(fill, chosen.source, outputs, **CONTROL)


if __name__ == "__main__":
    main()
