"""Experiments of the page "Vanishing gradients" in a process of their own, the command behind them, and its stories."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from test_vanishing import opened

from ganplay.cli import main
from ganplay.scenarios import results
from ganplay.stories import stories
from ganplay.ui import vanishing_job


def wait(jobs: vanishing_job.Jobs, key: str) -> vanishing_job.State:
    deadline = time.monotonic() + 60
    while (state := jobs.look(key)).state == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    return state


def spawn(script: str):
    """Stands for the command: a child that runs `script` with its files' paths."""

    def started(key, arguments):
        paths = [str(vanishing_job._path(key)), str(vanishing_job._path(key, "progress"))]
        with vanishing_job._path(key, "log").open("wb") as log:
            return subprocess.Popen([sys.executable, "-c", script, *paths], stdin=subprocess.PIPE, stderr=log)

    return started


def test_an_experiment_is_watched_to_its_result_and_kept(monkeypatch) -> None:
    script = 'import sys; open(sys.argv[1], "w").write(\'{"command": "c", "seeds": [1], "results": [2]}\')'
    monkeypatch.setattr(vanishing_job, "_spawn", spawn(script))
    jobs = vanishing_job.Jobs()
    key = jobs.start(["frozen", "--seeds", "1"])
    assert wait(jobs, key).state == "done"
    assert vanishing_job.result(key).results == [2]
    monkeypatch.setattr(vanishing_job, "_spawn", None)  # nothing is started for what is known
    assert jobs.start(["frozen", "--seeds", "1"]) == key


def test_a_child_that_has_written_its_result_holds_nobody_up(monkeypatch) -> None:
    result = '{"command": "c", "seeds": [1], "results": []}'
    script = f"import sys, time; open(sys.argv[1], 'w').write({result!r}); sys.stdout.flush(); time.sleep(20)"
    monkeypatch.setattr(vanishing_job, "_spawn", spawn(script))
    jobs = vanishing_job.Jobs()
    assert wait(jobs, jobs.start(["a"])).state == "done"
    assert jobs.look(jobs.start(["b"])).state in ("running", "done")
    jobs.stop()


def test_the_page_freezes_what_the_reader_chose_and_draws_what_was_found(monkeypatch, no_workers) -> None:
    given: list[str] = []
    one = {
        "source": "quick-digits", "title": "Quick digits", "images": 120_000, "seed": 5,
        "iterations": [0, 50, 100], "accuracy": [0.5, 0.9, 1.0],
        "norms": {"minimax": [1.0, 0.5, 0.25], "non-saturating": [1.0, 2.0, 4.0]},
    }  # fmt: skip
    content = json.dumps({"command": "python -m ganplay experiment frozen", "seeds": [5], "results": [one]})

    def started(key, arguments):
        given.extend(arguments)
        return spawn(f"import sys; open(sys.argv[1], 'w').write({content!r})")(key, arguments)

    monkeypatch.setattr(vanishing_job, "_spawn", started)
    app = opened("Frozen generator")
    app.multiselect(key="frozen:sources").set_value(["quick-digits"])
    app.selectbox(key="frozen:iterations").set_value(100)
    app.number_input(key="frozen:seed").set_value(5)
    next(button for button in app.button if button.key == "frozen:start").click()
    app.run()
    key = app.session_state["frozen:job"]
    assert given == ["frozen", "--sources", "quick-digits", "--iterations", "100", "--seeds", "5"]
    assert wait(vanishing_job.jobs(), key).state == "done"
    app.run()
    assert not app.exception
    texts = "\n".join(text.value for text in app.markdown)
    assert "**Quick digits, seed 5**" in texts
    assert "saturating gradient changed by ×\u00a00.25 and the non-saturating gradient changed by ×\u00a04" in texts


def test_only_one_experiment_runs_and_it_can_be_stopped(monkeypatch) -> None:
    monkeypatch.setattr(vanishing_job, "_spawn", spawn("import time; time.sleep(60)"))
    jobs = vanishing_job.Jobs()
    key = jobs.start(["a"])
    assert jobs.look(key).state == "running"
    with pytest.raises(ValueError, match="Another experiment"):
        jobs.start(["b"])
    jobs.stop()
    assert jobs.look(key).state == "none"


def test_an_experiment_that_fails_says_why(monkeypatch) -> None:
    monkeypatch.setattr(vanishing_job, "_spawn", spawn("import sys; sys.exit('ganplay: there is no such generator')"))
    jobs = vanishing_job.Jobs()
    state = wait(jobs, jobs.start(["x"]))
    assert (state.state, state.sentence) == ("failed", "ganplay: there is no such generator")


def test_the_command_measures_a_frozen_generator(tmp_path, capsys) -> None:
    out = tmp_path / "frozen.json"
    words = ["experiment", "frozen", "--sources", "dcgan-digits-epoch-1", "--iterations", "20", "--out", str(out)]
    assert main(words) == 0
    taken = results.read(out)
    assert taken.command.endswith("--iterations 20")
    (one,) = taken.results
    assert one["iterations"][-1] == 20
    assert json.loads(out.read_text())["seeds"] == [0]


@pytest.mark.parametrize("words", [["--seeds", "x"], ["--seeds", "-1"], ["--iterations", "3"]])
def test_a_mistake_in_the_command_is_one_sentence(words: list[str], capsys) -> None:
    assert main(["experiment", "frozen", *words]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


# Stories


@pytest.mark.parametrize("name", [name for name in stories if name.startswith("vanishing-")])
def test_a_story_of_the_page_says_all_that_it_must(name: str) -> None:
    story = stories[name]()
    assert story.page == "vanishing_gradients"
    assert story.answer in story.answers
    assert story.unavailable() == ""
    for text in (story.title, story.question, story.claim, story.source, story.why):
        assert text.strip()


def test_the_story_of_the_line_holds_and_gives_its_numbers() -> None:
    verdict = stories["vanishing-line"]().verify(0)
    assert verdict.holds
    assert verdict.measured["discriminator, minimax"]["far / near"] < 1e-3


def test_a_judge_of_depth_refuses_trainings_in_which_nothing_vanished() -> None:
    from ganplay.state import State
    from ganplay.stories.story import End

    story = stories["vanishing-clip"]()
    recipes = story.recipes(0)
    ends = {label: End(recipe, [], State.initial(recipe)) for label, recipe in recipes.items()}
    assert not story.judge(ends).holds  # untrained: no clip has acted yet
