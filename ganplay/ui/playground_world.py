"""The reader's playground as the page knows it: which one on the server, what its link says, and what the form showed.

Session state holds its id and texts only; the address holds the newest text, which restores everything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ganplay.playground.protocol import OK
from ganplay.recipe import Recipe
from ganplay.ui.contenders import summary
from ganplay.ui.playground_routes import client
from ganplay.ui.shared import attempt

if TYPE_CHECKING:
    from ganplay.playground.script import Script

ADDRESS = "gan"  # the name in the query
STATE = "playground"
# id: of the server's playground; text: of the newest link; written: texts that the address may still show; form: number
# of the form, another one shows other settings; heard: what the canvas said last; play: whether it is to begin at once
NOTHING = {"id": None, "text": "", "written": (), "form": 0, "heard": None, "play": False}
_REMEMBERED = 40  # texts


def current() -> Script | None:
    """The playground's script as far as the page knows it; begins one where there is none. None when it cannot be."""
    from ganplay.playground.script import BASE, Script, new
    from ganplay.recipes import recipe

    state = st.session_state.setdefault(STATE, dict(NOTHING))
    asked = st.query_params.get(ADDRESS)
    if asked and asked not in state["written"]:
        try:
            state |= {"id": None, "text": Script.read(asked).text(), "form": state["form"] + 1, "play": False}
        except ValueError as error:
            st.warning(f"The link cannot be followed: {error}")
            st.query_params.pop(ADDRESS, None)
    if not state["text"]:
        state["text"] = new(recipe(BASE)).text()
    if state["id"] is None and not _begin(state):
        return None
    _write(state)
    return Script.read(state["text"])


def id() -> str:
    """The server's name for this playground."""
    return st.session_state[STATE]["id"]


def text() -> str:
    """The newest text of a link that is known."""
    return st.session_state[STATE]["text"]


def form_key() -> str:
    """Prefix of the form's widgets; another one when the settings changed behind the form's back."""
    return f"playground:{st.session_state[STATE]['form']}"


def recipes(script: Script) -> tuple[Recipe, ...]:
    """The recipes at the script's position."""
    return script.at_event(script.passed(script.at))


def names(script: Script) -> list[str]:
    """A and B, each with what it does in its own way."""
    first, second = recipes(script)
    found = []
    for letter, own, other in (("A", first, second), ("B", second, first)):
        said = summary({path: value for path, value in own.difference(other).items() if path != "title"})
        found.append(f"{letter}: {said}"[:80] if said else letter)
    return found


def start(wanted: Sequence[Recipe], play: bool = False) -> None:
    """Another playground from iteration 0, which plays by itself if asked to."""
    from ganplay.playground.script import new

    state = st.session_state[STATE]
    made = attempt(lambda: new(*wanted).text())
    if made:
        state |= {"id": None, "text": made, "form": state["form"] + 1, "heard": None, "play": play}
        _write(state)


def plays() -> bool:
    """True until a playground that is to play by itself was heard of."""
    state = st.session_state[STATE]
    return state["play"] and state["heard"] is None


def forget() -> None:
    """The server knows this playground no more; the next look begins it again from its link."""
    st.session_state[STATE]["id"] = None


def settle(now: Mapping[str, Any]) -> bool:
    """Takes over what the canvas reports; True when other settings hold there than the form shows."""
    from ganplay.playground.script import Script

    state = st.session_state[STATE]
    if now == state["heard"]:
        return False
    text = client().script(state["id"]) or now["script"]  # a report from before a change may arrive after it
    changed = recipes(Script.read(state["text"])) != recipes(Script.read(text))
    state |= {"heard": dict(now), "text": text, "form": state["form"] + changed}
    _write(state)
    return changed


def apply(wanted: Sequence[Recipe]) -> bool:
    """Changes what the form says otherwise: in mid-run where the nets can go on, from iteration 0 where not.

    Returns:
        False when it says nothing new.

    Raises:
        ValueError: it cannot be; nothing has changed.
    """
    from ganplay.playground.limits import check_pair, check_recipe
    from ganplay.playground.script import Script

    state = st.session_state[STATE]
    before = recipes(Script.read(state["text"]))
    if tuple(wanted) == before:
        return False
    for recipe in wanted:
        check_recipe(recipe)
    check_pair(wanted)
    restart = not all(map(_can_go_on, before, wanted))
    for member, changes in _actions([new.difference(old) for new, old in zip(wanted, before, strict=True)]):
        _ask("do", action={"do": "change", "member": member, "changes": changes, "restart": restart})
    if restart:
        st.toast("Started over at iteration 0: other networks, other noise or another seed.", icon="🔁")
    state["text"] = client().script(state["id"]) or state["text"]
    _write(state)
    return True


def curves(member: int) -> list[dict[str, Any]]:
    """Losses, accuracies and measures by iteration, none before the first."""
    try:
        found = _ask("curves", member=member)
    except ValueError:  # the process that trains is on its way
        return []
    return sorted([*found["losses"], *found["measures"]], key=lambda row: row["at"])


def _ask(operation: str, **more: Any) -> dict[str, Any]:
    """What the playground answers.

    Raises:
        ValueError: it refuses, or cannot answer now.
    """
    answer = client().ask_and_wait(operation, id(), **more)
    content = json.loads(answer.body or b"{}")
    if answer.status != OK:
        raise ValueError(content.get("error", "The playground does not answer; try again."))
    return content


def _can_go_on(old: Recipe, new: Recipe) -> bool:
    """True when the nets of a recipe can live on with another."""
    from ganplay.playground.limits import check_continues

    try:
        check_continues(old, new)
    except ValueError:
        return False
    return True


def _actions(changes: Sequence[Mapping[str, Any]]) -> list[tuple[int | None, dict[str, Any]]]:
    """(member or None for all, changes): what all do alike is one change."""
    alike = {path: value for path, value in changes[0].items() if all(one.get(path) == value for one in changes)}
    own = [{path: value for path, value in one.items() if path not in alike} for one in changes]
    found: list[tuple[int | None, dict[str, Any]]] = [(None, alike)] if alike else []
    return found + [(member, one) for member, one in enumerate(own) if one]


def _begin(state: dict[str, Any]) -> bool:
    try:
        client().start()  # it gets ready while the page is drawn
        state |= {"id": client().new(state["text"]), "heard": None}
    except ValueError as error:
        st.error(str(error))
        return False
    return True


def _write(state: dict[str, Any]) -> None:
    """The newest text in the address."""
    if state["text"] not in state["written"]:
        state["written"] = (*state["written"], state["text"])[-_REMEMBERED:]
    if st.query_params.get(ADDRESS) != state["text"]:
        st.query_params[ADDRESS] = state["text"]
