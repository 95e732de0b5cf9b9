"""How the studio looks: fonts that every system has, nothing fetched from another host."""

from __future__ import annotations

import gradio as gr

_TEXT = ("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
_CODE = ("ui-monospace", "Menlo", "Consolas", "monospace")

CSS = """
.gradio-container { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
.gradio-container .main.fillable { max-width: 82rem; margin-inline: auto; }
.picture img, .moving img { object-fit: contain; max-height: 78vh; image-rendering: pixelated; }
.riddle img { object-fit: contain; height: min(38vh, 256px); width: 100%; image-rendering: pixelated; }
.riddle, .game { max-width: 44rem; margin-inline: auto; }
.game .round { text-align: center; }
#answer-real, #answer-generated { min-height: 4.5rem; font-size: 1.25rem; }
.beaten img { image-rendering: pixelated; }
.beaten, .beaten .grid-wrap { min-height: 0 !important; height: auto !important; }
.unseen, .form:not(:has(> :not(.unseen))), .key:not(:has(.block)) { display: none; }
.key, .term { gap: 0.5rem; flex-wrap: nowrap; }
.again .label-wrap { font-size: 0.9rem; }
.note { max-width: 44rem; }
.refresh { align-self: flex-end; }
.source input { text-overflow: ellipsis; padding-right: 1.5rem; }
input[type="range"]::-webkit-slider-thumb { border: 2px solid var(--color-accent); }
input[type="range"]::-moz-range-thumb { border: 2px solid var(--color-accent); }
footer .divider { display: none; }
@media (max-width: 640px) {
  .scene { flex-direction: column-reverse; }
  .gradio-container .main.fillable { padding-inline: 0.75rem !important; }
  .picture .icon-button-wrapper, .moving .icon-button-wrapper { display: none; }
}
"""


# The palette of the pages (.streamlit/config.toml), light and dark.
_COLOURS = {
    "body_background_fill": ("#fdfcfa", "#121621"),
    "background_fill_primary": ("#fdfcfa", "#121621"),
    "background_fill_secondary": ("#f2f0eb", "#1d2331"),
    "block_background_fill": ("white", "#171c29"),
    "input_background_fill": ("white", "#1d2331"),
    "border_color_primary": ("#ddd9d0", "#333b4d"),
    "body_text_color": ("#1f2733", "#e6e8ec"),
    "body_text_color_subdued": ("#5b6472", "#a4abb8"),
    "link_text_color": ("#2563a8", "#7db4ee"),
    "slider_color": ("#2563a8", "#4a90d9"),
    "checkbox_background_color_selected": ("#2563a8", "#4a90d9"),
    "checkbox_border_color_selected": ("#2563a8", "#4a90d9"),
    "checkbox_label_background_fill": ("white", "#1d2331"),
    "checkbox_label_background_fill_selected": ("#dfeaf6", "#24405f"),
    "checkbox_label_text_color_selected": ("#1f2733", "#e6e8ec"),
    "button_primary_background_fill": ("#2563a8", "#4a90d9"),
    "button_primary_background_fill_hover": ("#1d5290", "#66a3e2"),
    "button_primary_border_color": ("#2563a8", "#4a90d9"),
    "button_primary_text_color": ("white", "#0c1018"),
    "button_secondary_background_fill": ("#f2f0eb", "#1d2331"),
    "button_secondary_background_fill_hover": ("#e6e2d9", "#2a3244"),
    "block_title_background_fill": ("none", "none"),
    "block_title_text_color": ("#1f2733", "#e6e8ec"),
}
_BLUE = gr.themes.Color(  # around the pages' two blues, 600 on light and 400 on dark
    "#eff5fb", "#dfeaf6", "#bdd5ee", "#7db4ee", "#4a90d9", "#347ac3", "#2563a8", "#1d5290", "#1a4475", "#17375d",
    "#0f243d", name="page-blue",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """A quiet theme in the colours of the pages, for light and dark (`?__theme=light` or `dark`)."""
    soft = gr.themes.Soft(primary_hue=_BLUE, secondary_hue=_BLUE, neutral_hue="slate", font=_TEXT, font_mono=_CODE)
    light = {name: colours[0] for name, colours in _COLOURS.items()}
    dark = {f"{name}_dark": colours[1] for name, colours in _COLOURS.items()}
    return soft.set(
        **light, **dark, block_title_padding="0", block_border_width="1px", input_border_width="1px",
        input_border_color="#ddd9d0", checkbox_border_width="1px", checkbox_border_color="#8a93a3",
    )  # fmt: skip
