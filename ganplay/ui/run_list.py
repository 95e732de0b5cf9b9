"""The page "Runs": a table, what can be done with one run, and the disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import streamlit as st

from ganplay.runs import store
from ganplay.runs.folder import RESUMABLE, Run, Status
from ganplay.ui import drawing
from ganplay.ui.navigation import page
from ganplay.ui.shared import ACTIVE, MOST_RUNS, attempt, manager, show_notice

FULL = 0.8  # share of the quota above which old runs are offered for deletion
OFFERED = 5
REFRESH = 3.0  # seconds between two looks at the disk


def run_list() -> None:
    """Draws the page."""
    st.title("Runs")
    show_notice()
    found = store.list_runs()
    if not found:
        st.markdown("Nothing has been trained here yet. Start on **Home** or on **Train side by side**.")
        st.page_link(page("train"), label="Train side by side", icon="🥊")
        return
    active = any(run.status().state in ACTIVE for run in found)
    st.fragment(run_every=REFRESH if active else None)(_table)()
    _disk()


def _table() -> None:
    if st.session_state.pop("deleted", False):
        st.rerun()  # the disk's figures are outside the table
    show_notice()
    found = store.list_runs()
    shown = [(run, run.status(), run.size()) for run in found]
    event = st.dataframe(
        [_row(run, status, size) for run, status, size in shown], key=_table_key(found), hide_index=True,
        on_select="rerun", selection_mode="multi-row", column_config=_COLUMNS,
        height=min(560, 38 + 36 * len(shown)), row_height=36,
    )  # fmt: skip
    places = [place for place in event.selection.rows if place < len(shown)]
    if not places:
        st.caption("Select rows with the boxes on the left to open, rename, resume, fork or delete runs.")
        return
    picked = [shown[place][:2] for place in places]
    _actions(picked)


def _table_key(found: list[Run]) -> str:
    """Another table for other runs: a selection is made of row numbers, which are those of other runs by then."""
    return "table:" + hashlib.sha256(",".join(run.id for run in found).encode()).hexdigest()[:16]


_COLUMNS = {
    "progress": st.column_config.ProgressColumn("progress", format="%.0f %%", min_value=0, max_value=100, width=110),
    "run": st.column_config.TextColumn("run", width="medium"),
    "images": st.column_config.NumberColumn("images", format="localized"),
    "message": st.column_config.TextColumn("what it does or why it ended", width="large"),
}


def _row(run: Run, status: Status, size: int) -> dict[str, Any]:
    return {
        "run": run.label,
        "state": status.state,
        "progress": 100 * _share(run, status),
        "images": status.images,
        "size": drawing.size(size),
        "made (UTC)": f"{run.id[:4]}-{run.id[4:6]}-{run.id[6:8]} {run.id[9:11]}:{run.id[11:13]}",
        "recipe": run.info["base"] or "",
        "message": status.message,
    }


def _share(run: Run, status: Status) -> float:
    """How much of its recipe a run has done, by images or by time."""
    try:
        recipe = run.recipe_json()
        by_images = status.images / recipe["stop_images"]
        by_time = status.seconds / recipe["stop_seconds"] if recipe["stop_seconds"] else 0.0
    except (ValueError, KeyError, TypeError, ZeroDivisionError):
        return 0.0
    return 1.0 if status.state == "finished" else min(1.0, max(by_images, by_time))


def _actions(picked: list[tuple[Run, Status]]) -> None:
    ids = [run.id for run, _ in picked]
    with st.container(border=True):
        st.markdown(", ".join(f"**{run.label}**" for run, _ in picked))
        with st.container(horizontal=True):
            help = f"Up to {MOST_RUNS} runs at once" if len(ids) > MOST_RUNS else None
            if st.button("Open in Train", icon="🥊", type="primary", disabled=bool(help), key="open", help=help):
                st.switch_page(page("train"), query_params={"runs": ",".join(ids)})
            if st.button("Look at gradients", icon="📉", disabled=len(ids) > MOST_RUNS, key="gradients"):
                st.switch_page(page("vanishing_gradients"), query_params={"runs": ",".join(ids)})
            if st.button("Evaluate", icon="📏", disabled=len(ids) > MOST_RUNS, key="evaluate"):
                st.switch_page(page("evaluate"), query_params={"source": [f"run:{id}" for id in ids]})
            if any(status.state in RESUMABLE for _, status in picked):
                resumable = [run.id for run, status in picked if status.state in RESUMABLE]
                st.button("Resume", icon="▶️", key="resume", on_click=_each, args=(manager().resume, resumable))
            if any(status.state in ACTIVE for _, status in picked):
                active = [run.id for run, status in picked if status.state in ACTIVE]
                st.button("Stop", icon="⏹️", key="stop", on_click=_each, args=(manager().stop, active))
            if len(ids) == 1 and st.button("Fork", icon="🍴", key="fork", disabled=not picked[0][0].checkpoints()):
                st.session_state["forking"] = ids[0]
                st.switch_page(page("train"), query_params={"runs": ids[0]})
            with st.popover("Delete", icon="🗑️"):
                st.markdown(f"Delete {len(ids)} run{'s' if len(ids) > 1 else ''} with all pictures and checkpoints?")
                st.button("Yes, delete", type="primary", key="delete", on_click=_delete, args=(ids,))
        if len(ids) == 1:
            run = picked[0][0]
            _rename(run)
            if run.reasons:
                st.caption("How it computed: " + " ".join(run.reasons))


def _delete(ids: list[str]) -> None:
    """Deletes the runs that the reader saw when confirming, whatever the table shows by now."""
    _each(manager().delete, ids)
    st.session_state["deleted"] = True


def _rename(run: Run) -> None:
    with st.form(f"rename:{run.id}", border=False):
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        name = left.text_input("Name", run.label, max_chars=80)
        if right.form_submit_button("Rename", width="stretch"):
            attempt(store.rename, run, name)
            st.rerun()


def _each(action: Callable[[str], Any], ids: list[str]) -> None:
    for id in ids:
        attempt(action, id)


def _disk() -> None:
    used, allowed = store.used_bytes(), store.quota_bytes()
    st.subheader("Disk")
    st.progress(min(1.0, used / allowed), f"{drawing.size(used)} of {drawing.size(allowed)} used")
    old = store.deletable()[:OFFERED]
    if used / allowed < FULL or not old:
        return
    st.warning("The disk is nearly used up. These runs ended first; a new run starts only while there is room.")
    for run in old:
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(f"{run.label} · {run.status().state} · {drawing.size(run.size())}")
        if right.button("Delete", key=f"old:{run.id}", width="stretch"):
            attempt(store.delete, run)
            st.rerun()
