"""The page "Class": join or make a class, its board and exercises, and the teacher's part."""

from __future__ import annotations

from html import escape

import streamlit as st

from ganplay import hosting
from ganplay.classroom import store
from ganplay.classroom.exercises import LONGEST_TITLE
from ganplay.classroom.store import Classroom
from ganplay.ui import classroom_board, classroom_exercise, classroom_teacher, links
from ganplay.ui.contenders import said_of
from ganplay.ui.shared import attempt, show_notice

PLAIN = (
    "There are no accounts: whoever knows the code sees the board and takes part under any name, and whoever reaches "
    "this server can watch, stop and delete runs on the page Runs."
)
FORGETFUL = " A Space without a volume forgets classes and runs when it restarts."


def classroom() -> None:
    """Draws the page: an exercise, a class, or the way to one, as the address says."""
    code, id = st.query_params.get("class", ""), st.query_params.get("exercise", "")
    if code:
        try:
            room = store.find(code)
        except ValueError as error:
            st.error(str(error))
        else:
            _exercise(room, id) if id else _class(room)
            return
    elif "recipe" in st.query_params:
        try:
            classroom_exercise.show(None, classroom_exercise.from_link())
            return
        except ValueError as error:
            st.error(str(error))
    _front(code)


def _exercise(room: Classroom, id: str) -> None:
    try:
        exercise = room.exercise(id)
    except ValueError as error:
        st.error(str(error))
        _class(room)
        return
    classroom_exercise.show(room, exercise)
    st.button("Board of the class", icon="🏫", on_click=_go, args=(room.code,))


def _front(code: str) -> None:
    st.title("Class")
    st.markdown(
        "A teacher makes an exercise and sends its link; students change what it lets them change and start; all runs "
        "appear side by side on the board of the class."
    )
    show_notice()
    left, right = st.columns(2, gap="large")
    with left.form("join"):
        st.markdown("**Join a class**")
        given = st.text_input("Code of the class", code[:20], max_chars=20, placeholder="KWMPTX")
        if st.form_submit_button("Open", icon="🚪"):
            _go(given)
            st.rerun()
    with right.form("make"):
        st.markdown("**Make a class**")
        title = st.text_input("Title", max_chars=LONGEST_TITLE, placeholder="Computer science 11b")
        if st.form_submit_button("Make", icon="🏫", type="primary"):
            _make(title)
            st.rerun()
    st.caption(PLAIN + FORGETFUL * hosting.hosted())
    _unused()


def _make(title: str) -> None:
    made = attempt(store.make, title)
    if made is None:
        return
    room, key = made
    classroom_teacher.unlock(room.code, key)
    st.session_state["new-key"] = {"class": room.code, "key": key}
    _go(room.code)


def _unused() -> None:
    """Offers what nobody needs any more for deletion: the server keeps only so many classes."""
    old = store.unused()
    if not old:
        return
    with st.expander(f"Unused for {store.UNUSED_DAYS} days, or empty for a day: anybody may delete these classes"):
        for room in old[:20]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.html(f"{escape(room.title)} · {len(room.exercises)} exercises", width="content")
                st.button("Delete", key=f"old:{room.code}", on_click=attempt, args=(store.delete, room.code))


def _class(room: Classroom) -> None:
    st.html(f"<h1 style='padding:0'>{escape(room.title)}</h1>")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Code of this class: **{room.code}**")
        st.button("Another class", icon="🚪", on_click=_go, args=("",))
    show_notice()
    classroom_teacher.show_new_key(room)
    st.markdown("#### :primary[Do] · the exercises")
    if not room.exercises:
        st.caption("None yet. The teacher makes them below.")
    for one in room.exercises:
        with st.container(border=True), st.container(horizontal=True, vertical_alignment="center"):
            st.html(f"<b>{escape(one.title)}</b>", width="content")
            opened = ", ".join(map(said_of, one.open))
            st.caption(f"You may change: {opened}." if opened else "Nothing to change: start and watch.")
            st.button("Open", icon="▶️", key=f"open:{one.id}", on_click=_go, args=(room.code, one.id))
            with st.popover("Link", icon="🔗"):
                st.caption("Whoever opens it finds this exercise, with these settings.")
                st.code(links.address(f"class={room.code}&exercise={one.id}"), language=None, wrap_lines=True)
                st.caption("The same without the class, on any ganplay. Who can read a link can change all in it.")
                st.code(links.address(classroom_exercise.query(one)), language=None, wrap_lines=True)
            classroom_teacher.removal(room, one)
    st.markdown("#### :primary[See] · the board")
    classroom_board.show(room)
    classroom_teacher.show(room)
    st.caption(PLAIN + FORGETFUL * hosting.hosted())


def _go(code: str, exercise: str = "") -> None:
    """Puts another place of this page into the address."""
    named = {"class": code.strip(), "exercise": exercise}
    st.query_params.from_dict({name: value for name, value in named.items() if value})
