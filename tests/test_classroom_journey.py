"""A class in a real browser: a teacher makes an exercise, a student opens its link, the board shows the run."""

from __future__ import annotations

import os

import pytest
from browser import PATIENCE, button, chromium, page, server
from test_journey import shot, wait_for

pytestmark = pytest.mark.skipif(
    chromium() is None and not os.environ.get("CI"), reason="needs Chromium or Chrome on the path"
)


def test_a_teachers_exercise_reaches_a_student_whose_run_reaches_the_board(tmp_path):
    with server(tmp_path / "home") as (address, _), page() as teacher:
        student = teacher.context.browser.new_context(
            viewport={"width": 390, "height": 900}, color_scheme="dark"
        ).new_page()
        student.set_default_timeout(PATIENCE)
        errors = []
        for tab in (teacher, student):
            tab.on("pageerror", lambda error: errors.append(str(error)))

        # The teacher makes a class and an exercise of one recipe in which the learning rate is open
        teacher.goto(f"{address}/classroom")
        teacher.get_by_label("Title").fill("11b")
        teacher.get_by_role("button", name="Make").click()
        teacher.get_by_text("Your key as the teacher").wait_for()
        teacher.get_by_text("Make an exercise").click()
        teacher.get_by_label("Title of the exercise").fill("How fast?")
        teacher.get_by_label("Task, in plain text").fill("Change one thing.")
        wait_for(lambda: teacher.get_by_role("button", name="✕").count() == 2, "both recipes of the form")
        teacher.get_by_role("button", name="✕").last.click()
        wait_for(lambda: teacher.get_by_role("button", name="✕").count() == 1, "removal of the second recipe")
        choice = teacher.get_by_label("What students may change; all else is hidden from them")
        choice.fill("G learning rate")
        teacher.get_by_role("option", name="Optimisers: G learning rate").click()
        teacher.keyboard.press("Escape")
        teacher.get_by_text("Optimisers: G learning rate").wait_for()
        shot(teacher, "class-1-compose")
        teacher.get_by_role("button", name="Make the exercise").click()
        teacher.get_by_text("You may change: G learning rate.").wait_for()
        teacher.get_by_role("button", name="Link", exact=True).click()
        link = teacher.locator("code", has_text="exercise=").inner_text().strip()
        teacher.keyboard.press("Escape")

        # A student in another browser sees the task and that one setting, and starts
        student.goto(link)
        student.get_by_text("Change one thing.").wait_for()
        student.get_by_label("Your name, as the board shows it").fill("Zoë O'Neil")
        student.get_by_role("spinbutton").fill("0.002")
        student.keyboard.press("Enter")
        wait_for(lambda: student.get_by_role("button", name="Start", exact=True).is_enabled(), "a form to start")
        assert student.get_by_role("spinbutton").count() == 1
        student.get_by_role("button", name="Start", exact=True).click()
        student.get_by_text("your runs").wait_for()
        shot(student, "class-2-student")

        # The board shows the run while it trains, with its picture, to the teacher who did nothing
        card = teacher.locator(".gp-board a", has_text="Zoë O'Neil")
        card.wait_for()
        wait_for(lambda: "running" in card.inner_text() and "G learning rate 0.002" in card.inner_text(), "the run")
        wait_for(
            lambda: card.locator("img").first.evaluate("one => one.complete && one.naturalWidth > 0"), "its picture"
        )
        wait_for(lambda: card.locator(".gp-curve").count() == 1, "its curve")
        shot(teacher, "class-3-board")
        button(student, "Stop").click()
        wait_for(lambda: "stopped" in card.inner_text(), "the end of the run on the board")
        assert not errors
