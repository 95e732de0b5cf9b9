"""Many seeds of a story: how often its claim holds, as a table, and whether that is often enough as an exit code."""

from __future__ import annotations

import pytest
from failure_story import BROKEN, CURE, TinyStory

from ganplay.cli import main
from ganplay.commands import diagnose as command
from ganplay.commands.verify import rows, text
from ganplay.diagnosis import Finding, Remedy
from ganplay.recipes import recipe
from ganplay.stories import stories
from ganplay.stories.checking import check
from ganplay.stories.playground import CoverageStory
from ganplay.stories.story import Story, Verdict
from ganplay.stories.verified import Verified, record, verified


class Sometimes(Story):
    """Holds on some seeds."""

    page, kind = "failure_modes", "sometimes"
    good = (0, 1, 2, 3, 4, 5, 6, 7, 8)

    def verify(self, seed):
        return Verdict(seed in self.good, f"It was seed {seed}.", {"one": {"seed": float(seed)}, "two": {"x": 1.0}})


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(stories, "_parts", {"sometimes": Sometimes, "tiny-ring": TinyStory})
    monkeypatch.setattr(stories, "_discovered", True)
    return monkeypatch


def test_nine_seeds_of_ten_are_enough_and_eight_are_not(known, capsys):
    assert main(["verify", "sometimes", "--seeds", "10"]) == 0
    assert "sometimes: holds on 9 of 10 seeds" in capsys.readouterr().out
    known.setattr(Sometimes, "good", range(8))
    assert main(["verify", "sometimes", "--seeds", "10"]) == 1
    said = capsys.readouterr().out
    assert "not on seed 8: It was seed 8." in said and "not on seed 7" not in said


def test_a_table_has_a_row_for_each_training_with_mean_and_range(known):
    lines = rows(check(Sometimes(), range(4))).split("\n")
    assert lines[0].startswith("| `sometimes` | 4 of 4 | one | seed 1.5 (0 to 3) |")
    assert len(lines) == 2 and lines[1].split("|")[1:4] == ["  ", "  ", " two "]


def test_training_all_seeds_together_judges_each_as_alone(known):
    together = check(TinyStory(), (3, 4))
    alone = TinyStory().verify(4)
    for label in (BROKEN, CURE):
        ours, theirs = together.verdicts[1].measured[label], alone.measured[label]
        assert ours == pytest.approx(theirs, rel=1e-3)
    assert together.verdicts[0].measured != together.verdicts[1].measured
    assert "without anything: loss of G" in text(together)


def test_what_was_found_is_kept_until_the_story_changes(known, tmp_path):
    file = tmp_path / "verified.json"
    assert main(["verify", "sometimes", "--seeds", "4", "--json", str(file)]) == 0
    record([check(TinyStory(), (3, 4))], file)
    assert verified(Sometimes(), file) == Verified((0, 3), 4, {"one": {"seed": (1.5, 0, 3)}, "two": {"x": (1, 1, 1)}})
    found = verified(TinyStory(), file)
    assert found.seeds == (3, 4) and set(found.spread) == set(TinyStory().recipes(0))
    known.setattr(TinyStory, "recipes", lambda self, seed: {BROKEN: recipe("toy-ring")})
    assert verified(TinyStory(), file) is None and verified(Sometimes(), file) is not None
    file.write_text("[1]")
    assert verified(Sometimes(), file) is None


@pytest.mark.parametrize("name", [name for name in stories if issubclass(stories[name], CoverageStory)])
def test_the_program_comes_with_ten_seeds_of_each_story_about_coverage(name):
    found = verified(stories[name]())
    first, last = found.seeds
    assert last - first + 1 == 10 and found.held >= 9
    for measured in found.spread.values():
        mean, low, high = measured["modes"]
        assert 0 <= low <= mean <= high <= measured["modes_of"][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seeds", "0"], "--seeds is 0"), (["--first", "-1"], "--first is -1"), (["nonsense"], "no story 'nonsense'"),
        (["--page", "nowhere"], "No story belongs to the page 'nowhere'"), (["--threads", "0"], "--threads is 0"),
    ],
)  # fmt: skip
def test_mistakes_are_one_sentence(known, capsys, words, said):
    assert main(["verify", *words]) == 2
    assert said in capsys.readouterr().err


def test_diagnose_reads_a_bundled_checkpoint(capsys):
    assert main(["diagnose", "kth-simple"]) == 0
    assert capsys.readouterr().out.startswith("Nothing unusual (fine, 3,200 to ")
    assert main(["diagnose", "no-such-checkpoint"]) == 2
    assert main(["diagnose", "digits-classifier"]) == 2


def test_diagnose_reads_a_run_with_its_samples(capsys, home):
    from tiny_runs import train_tiny

    run = train_tiny(home, "toy-ring", **{"score_every": 0, "generator.widths": "8", "discriminator.widths": "8"})
    assert main(["diagnose", run.id]) == 0
    said = capsys.readouterr().out
    assert "modes are covered" in said
    assert main(["diagnose", run.id, "--curves"]) == 0
    assert "modes" not in capsys.readouterr().out


def test_a_finding_is_printed_with_the_settings_to_try():
    remedy = Remedy("Use a penalty.", {"penalties": ["r1"], "critic_steps": 2})
    said = command.text(Finding("x", "A title", "The evidence.", (remedy,), "doubt", (1_000, 20_000)))
    assert said == (
        "A title (doubt, 1,000 to 20,000 images)\n  The evidence.\n  Try: Use a penalty. (penalties=r1 critic_steps=2)"
    )
    assert recipe("toy-ring").change({"penalties": "r1", "critic_steps": "2"}).penalties[0].kind == "r1"
