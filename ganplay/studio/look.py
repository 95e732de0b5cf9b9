"""How the studio looks: fonts that every system has, nothing fetched from another host."""

from __future__ import annotations

import gradio as gr

_TEXT = ("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
_CODE = ("ui-monospace", "Menlo", "Consolas", "monospace")

CSS = """
.gradio-container { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
.picture img { object-fit: contain; max-height: 78vh; }
.refresh { align-self: flex-end; }
.source input { text-overflow: ellipsis; padding-right: 1.5rem; }
input[type="range"]::-webkit-slider-thumb { border: 2px solid var(--color-accent); }
input[type="range"]::-moz-range-thumb { border: 2px solid var(--color-accent); }
footer .divider { display: none; }
@media (max-width: 640px) { .picture .icon-button-wrapper { display: none; } }
"""


def theme() -> gr.themes.Base:
    """A quiet theme for light and dark (`?__theme=light` or `dark`)."""
    soft = gr.themes.Soft(primary_hue="orange", neutral_hue="slate", font=_TEXT, font_mono=_CODE)
    plain = {"background_fill": "none", "padding": "0", "text_color": "*neutral_700"}
    titles = {f"block_title_{name}": value for name, value in plain.items()}
    return soft.set(
        **titles, block_title_background_fill_dark="none", block_title_text_color_dark="*neutral_200",
        block_border_width="1px", body_background_fill="*neutral_50", input_border_width="1px",
        input_border_color="*neutral_300", checkbox_border_width="1px", checkbox_border_color="*neutral_400",
    )  # fmt: skip
