"""The teacher's part of a class: the key, new exercises, and what can be deleted.

A key that was given stays in this session on the server, so that it is typed once; every change checks it again.
"""

from __future__ import annotations

import streamlit as st

from ganplay.classroom import exercises, store
from ganplay.classroom.exercises import LONGEST_TASK, LONGEST_TITLE, Exercise
from ganplay.classroom.store import Classroom
from ganplay.ui import contenders, forms, links
from ganplay.ui.shared import attempt

KEYS = "class-keys"  # of session state: code -> key
MADE = "exercise-made"  # of session state: whether the form has done its work


def unlock(code: str, key: str) -> None:
    """Lets this session change the class."""
    st.session_state[KEYS] = st.session_state.get(KEYS, {}) | {code: key}


def key_of(room: Classroom) -> str:
    """The key that this session has for the class, or an empty text."""
    key = st.session_state.get(KEYS, {}).get(room.code, "")
    return key if key and room.is_key(key) else ""


def show_new_key(room: Classroom) -> None:
    """Shows the key of a class that was just made, until its maker has written it down."""
    new = st.session_state.get("new-key")
    if not new or new["class"] != room.code:
        return
    with st.container(border=True):
        st.markdown("**Your key as the teacher.** Write it down now: it is shown once and kept nowhere.")
        st.code(new["key"], language=None)
        st.caption("It is needed to make exercises from another browser and to delete the class.")
        st.button("I have written it down", icon="✅", on_click=st.session_state.pop, args=("new-key", None))


def removal(room: Classroom, exercise: Exercise) -> None:
    """Draws the button that deletes an exercise, for the teacher."""
    key = key_of(room)
    if key:
        with st.popover("Delete", icon="🗑️"):
            st.markdown("Delete this exercise? Its runs stay on the board.")
            st.button("Yes, delete it", type="primary", key=f"remove:{exercise.id}", on_click=attempt,
                      args=(store.remove_exercise, room.code, key, exercise.id))  # fmt: skip


def show(room: Classroom) -> None:
    """Draws what only the teacher may do."""
    st.markdown("#### :primary[Teach] · for the teacher")
    key = key_of(room)
    if key:
        if st.session_state.pop(MADE, False):
            st.session_state[f"compose:{room.code}"] = False
            st.toast("The exercise is made. Its link is on the page.", icon="📝")
        if st.toggle("Make an exercise", key=f"compose:{room.code}"):
            _compose(room, key)
    else:
        with st.form("unlock", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            given = st.text_input("Teacher's key", type="password", max_chars=40, width=280)
            if st.form_submit_button("Unlock", icon="🔑"):
                _unlock(room, given)
    with st.popover("Delete this class", icon="🗑️"):
        st.markdown("Delete the class with its exercises? Its runs stay on the page Runs.")
        typed = st.text_input("Teacher's key", type="password", max_chars=40, key="delete-key")
        if st.button("Yes, delete the class", type="primary", disabled=not typed):
            _delete(room, typed)


def _unlock(room: Classroom, given: str) -> None:
    if not room.is_key(given):
        st.error("That is not the teacher's key of this class.")
        return
    unlock(room.code, given)
    st.rerun()


def _delete(room: Classroom, key: str) -> None:
    try:
        store.delete(room.code, key)
    except ValueError as error:
        st.error(str(error))
        return
    st.query_params.clear()
    st.rerun()


def _compose(room: Classroom, key: str) -> None:
    """Draws the form of a new exercise: that of "Train side by side", and what students see of it."""
    with st.container(border=True):
        title = st.text_input("Title of the exercise", max_chars=LONGEST_TITLE, placeholder="Which loss learns faster?")
        task = st.text_area("Task, in plain text", max_chars=LONGEST_TASK, placeholder="Predict first: ...")
        chosen, problem = contenders.setup()
        open = _choice(room.code, exercises.openable([one.recipe() for one in chosen]))
        scores = st.toggle("Score the runs for the board", True, help="A distance to held-out data, 20 times a run.")
        # no callback: it would be given the fields as they were drawn last, without the one that was just left
        if st.button("Make the exercise", type="primary", icon="📝", disabled=bool(problem) or not title.strip()):
            attempt(_add, room.code, key, title, task, chosen, open, scores)
            st.rerun()


def _choice(code: str, paths: list[str]) -> list[str]:
    """Draws the choice of open settings; it stays when another part brings other settings."""
    key = f"open:{code}"
    st.session_state[key] = [path for path in st.session_state.get(key, []) if path in paths]
    return st.multiselect(
        "What students may change; all else is hidden from them", paths, format_func=_said, key=key,
        placeholder="nothing: they start and watch", max_selections=exercises.MOST_OPEN,
    )  # fmt: skip


def _add(
    code: str, key: str, title: str, task: str, chosen: list[links.Contender], open: list[str], scores: bool
) -> None:
    """Makes the exercise; the next run of the page says so and closes the form."""
    if scores:
        chosen = [links.contender(exercises.scored(one.recipe()), one.base) for one in chosen]
    made = exercises.compose(title, task, [(one.base, _plain(one)) for one in chosen], open)
    store.add_exercise(code, key, made)
    st.session_state[MADE] = True


def _plain(one: links.Contender) -> dict[str, object]:
    """Changes as JSON keeps them."""
    return {path: list(value) if isinstance(value, tuple) else value for path, value in one.changes.items()}


def _said(path: str) -> str:
    """A setting with its section and whose it is: the generator's learning rate is not the discriminator's."""
    return f"{forms.section_of(path)}: {contenders.said_of(path)}"
