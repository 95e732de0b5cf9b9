"""Feature studies: what fits a base, what is trained, what is kept, and which differences are said to be real."""

from __future__ import annotations

import itertools
import json
import math
import random
import statistics as reference

import pytest
from scipy import stats

from ganplay.cli import main
from ganplay.metrics.budget import ScoreBudget
from ganplay.recipes import recipe
from ganplay.runs import store as runs
from ganplay.runs.folder import Status
from ganplay.runs.manager import Manager
from ganplay.studies import driving, estimate, report, store
from ganplay.studies.outcome import Outcome, bundled, bundled_names, outcome, smoothed, spread
from ganplay.studies.plan import BASE, MOST_TRIALS, QUICK, SCORES, SMALL, Plan, plan
from ganplay.studies.statistics import compare, holm, paired_p, two_sided
from ganplay.studies.switches import SWITCHES, fitting, switch
from ganplay.studies.trial import Trial
from ganplay.trainer import train

TINY = {**SMALL, "batch_size": 8, "generator.widths": (8, 8), "discriminator.widths": (8, 8)}


def tiny(switches=("dropout",), seeds=2, images=1_000, **changes) -> Plan:
    """A study on the digits that is planned, not trained."""
    return plan(QUICK, {**TINY, **changes}, switches, seeds, images)


def points() -> Plan:
    """A study whose trials take half a second."""
    narrow = {"generator.widths": (8,), "discriminator.widths": (8,), "batch_size": 64, "metric.directions": 8}
    return plan("toy-ring", narrow, ["flipped"], 2, 1_000)


def made(scores: dict[str, list[list[float] | None]], real: tuple[float, ...] = ()) -> Outcome:
    """An outcome by hand: scores by switch, a list for each seed; None for a trial that diverged."""
    count = len(scores[BASE])
    chosen = [name for name in scores if name != BASE]
    planned = plan(QUICK, TINY, chosen, count)
    trials = []
    for name, seed in itertools.product(scores, range(count)):
        curve = scores[name][seed]
        points = tuple((100 * (place + 1), value) for place, value in enumerate(curve or [900.0]))
        state = "finished" if curve else "failed"
        trials.append(Trial(name, seed, state, None, 100, 1.0, points, "" if curve else "Training diverged: nan."))
    return Outcome("by-hand", planned, "finished", tuple(trials), real, {}, {})


# Switches


def test_switches_have_names_of_their_own():
    names = [one.name for one in SWITCHES]
    assert len(set(names)) == len(names)
    assert len({one.title for one in SWITCHES}) == len(names)


@pytest.mark.parametrize("one", SWITCHES, ids=lambda one: one.name)
def test_every_switch_changes_just_what_it_says_in_the_quick_base(one):
    base = recipe(QUICK).change(SMALL)
    changes = one.of(base)
    assert base.change(changes).difference(base).keys() <= changes.keys()
    assert base.change(changes) != base


def test_a_switch_that_the_network_lacks_says_so_in_one_sentence():
    with pytest.raises(ValueError, match=r"has no setting norm.*\.$"):
        switch("batch-norm").of(recipe("cs229-fcgan"))


def test_a_switch_that_is_on_already_does_not_fit():
    with pytest.raises(ValueError, match="already"):
        switch("uniform").of(recipe(QUICK).change({"noise": "uniform"}))


def test_a_switch_that_training_forbids_does_not_fit():
    penalised = recipe(QUICK).change({"penalties": "gradient-penalty"})
    with pytest.raises(ValueError, match="batch norm"):
        switch("batch-norm").of(penalised)


def test_what_images_need_does_not_fit_points():
    _, unfit = fitting(recipe("toy-ring"))
    assert {"augmentation", "sigmoid", "batch-norm"} <= unfit.keys()


@pytest.mark.parametrize(("name", "ratio"), [("two-rates", 4.0), ("equal-rates", 1.0)])
def test_learning_rates_change_their_ratio_and_keep_their_mean(name, ratio):
    base = recipe(QUICK)
    changed = base.change(switch(name).of(base))
    old, new = (
        (one.generator_optimiser.learning_rate, one.discriminator_optimiser.learning_rate) for one in (base, changed)
    )
    assert new[1] / new[0] == pytest.approx(ratio, rel=0.01)
    assert math.log(new[0] * new[1]) == pytest.approx(math.log(old[0] * old[1]), abs=0.02)


# Plans


def test_all_trials_are_scored_at_the_same_images():
    every = tuple(one.name for one in SWITCHES)
    planned = plan(QUICK, SMALL, every, 2, 24_000)
    for variant in planned.variants:
        trial = planned.trial(variant, 1)
        a_round = trial.batch_size * trial.critic_steps
        assert trial.score_every % a_round == trial.log_every % a_round == trial.stop_images % trial.score_every == 0
        assert trial.score_every % trial.log_every == 0
        assert trial.stop_images == planned.images
        assert trial.stop_images // trial.score_every == SCORES
        assert trial.score_share == 1.0  # none is left out for want of time
    assert planned.images == pytest.approx(24_000, rel=0.1)


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_no_score_of_a_trial_is_left_out_however_dear_it_is(share, monkeypatch):
    planned = points()
    monkeypatch.setattr("ganplay.trainer.ScoreBudget", lambda given: ScoreBudget(given, grace=-1e9))  # none fits
    trial = planned.trial(planned.variants[0], 0).change({"score_share": share})
    scored = [step.images for step in train(trial) if step.score is not None]
    every = range(trial.score_every, trial.stop_images + 1, trial.score_every)
    assert scored == (list(every) if share == 1.0 else [])


def test_trials_differ_from_the_base_in_their_switch_and_their_seed_alone():
    planned = tiny(("dropout", "flipped"), seeds=3)
    assert [seed for _, seed in planned.trials()] == [0, 0, 0, 1, 1, 1, 2, 2, 2]  # whole seeds first
    for variant, seed in planned.trials():
        changed = planned.trial(variant, seed).difference(planned.recipe)
        assert changed.keys() - {"title", "seed"} == variant.changes.keys()
        assert planned.trial(variant, seed).seed == seed


def test_a_plan_survives_json():
    planned = tiny(("dropout", "augmentation", "two-rates"))
    assert Plan.from_json(json.loads(json.dumps(planned.to_json()))).to_json() == planned.to_json()


def test_the_command_makes_the_same_study(monkeypatch, capsys):
    planned = tiny(("dropout", "momentum"), seeds=2, images=2_000, metric="sliced-wasserstein", batch_size=64)
    words = planned.command().removeprefix("python -m ganplay ").split()
    monkeypatch.setattr("ganplay.commands.study._follow", lambda study, threads: 0)
    assert main(words) == 0
    (study,) = store.list_studies()
    assert study.plan().to_json() == planned.to_json()


def test_the_score_is_that_of_the_classifier_that_fits_and_of_raw_values_for_points():
    assert plan(QUICK, SMALL, ["dropout"]).score_name == "FD (digits classifier)"
    assert plan("kth-simple", {}, ["dropout"]).recipe.metric.features == "mnist-classifier"
    assert plan("toy-ring", {}, ["rmsprop"]).recipe.metric.kind == "sliced-wasserstein"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"switches": []}, "No switch"),
        ({"switches": ["nonsense"]}, "no switch 'nonsense'"),
        ({"switches": ["dropout", "dropout"]}, "once"),
        ({"switches": ["dropout"], "seeds": 1}, "one seed has no spread"),
        ({"switches": ["dropout"], "images": 5}, "1,000"),
        ({"switches": [one.name for one in SWITCHES], "seeds": 10}, str(MOST_TRIALS)),
        ({"base": "nothing", "switches": ["dropout"]}, "no recipe"),
        ({"changes": {"latent": 0}, "switches": ["dropout"]}, "latent"),
    ],
)
def test_impossible_studies_are_refused_with_a_sentence(arguments, says):
    with pytest.raises(ValueError, match=says):
        plan(**arguments)


def test_the_estimate_grows_with_what_there_is_to_do_and_gives_way_to_what_trials_took():
    small, twice = (estimate.seconds(tiny(images=images), 1) for images in (24_000, 48_000))
    assert 1.5 * small < twice < 2.0 * small  # the start of a process is there once
    assert estimate.seconds(tiny(seeds=4), 2) == pytest.approx(estimate.seconds(tiny(seeds=2), 1))
    trials = [Trial(BASE, 0, "finished", seconds=100.0), Trial("dropout", 0, "waiting"), Trial(BASE, 1, "running")]
    assert estimate.seconds_left(tiny(), trials, 1) == pytest.approx(2 * (100.0 + estimate.START))


# Statistics


@pytest.mark.parametrize("degrees", range(1, 12))
def test_student_s_distribution_is_that_of_scipy(degrees):
    for t in (0.0, 0.2, 1.0, 2.7, 9.0, 80.0):
        assert two_sided(t, degrees) == pytest.approx(2 * stats.t.sf(t, degrees), abs=1e-12)


def test_the_paired_test_is_that_of_scipy():
    source = random.Random(1)
    for count in (2, 3, 5, 9):
        base, changed = ([source.gauss(50, 10) for _ in range(count)] for _ in range(2))
        differences = [new - old for new, old in zip(changed, base, strict=True)]
        assert paired_p(differences) == pytest.approx(stats.ttest_rel(changed, base).pvalue, abs=1e-12)
    assert paired_p([1.0]) is None
    assert paired_p([2.0, 2.0]) == 0.0
    assert paired_p([0.0, 0.0]) == 1.0


def test_holm_keeps_false_alarms_rare_and_never_reorders():
    # By hand: sorted 0.01, 0.02, 0.03, 0.6 times 4, 3, 2, 1 is 0.04, 0.06, 0.06, 0.6.
    assert holm([0.03, 0.01, 0.6, 0.02]) == pytest.approx([0.06, 0.04, 0.6, 0.06])
    source, alarms = random.Random(2), 0
    for _ in range(2_000):  # of switches that do nothing
        alarms += min(holm([source.random() for _ in range(10)])) < 0.05
    assert alarms / 2_000 < 0.065


def test_a_line_holds_paired_differences_and_their_spread():
    table = compare(made({BASE: [[9.0, 10.0], [9.0, 20.0], [9.0, 30.0]],
                          "dropout": [[1.0, 13.0], [1.0, 22.0], [1.0, 34.0]]}, (4.0, 6.0)), smooth=False)  # fmt: skip
    base, dropout = table.lines
    assert (base.mean, base.spread) == (20.0, 10.0)
    assert dropout.differences == {0: 3.0, 1: 2.0, 2: 4.0}  # far smaller than the spread of the scores themselves
    assert (dropout.difference, dropout.difference_spread) == (3.0, 1.0)
    assert dropout.exceeds
    assert dropout.verdict.startswith("worse")
    assert (table.mark, table.real) == (200, 5.0)
    assert table.real_spread == pytest.approx(reference.stdev([4.0, 6.0]))


def test_a_difference_within_its_spread_is_called_so():
    table = compare(made({BASE: [[10.0], [10.0], [10.0]], "dropout": [[20.0], [1.0], [12.0]]}), smooth=False)
    assert table.lines[1].verdict == "within the spread"
    assert "None of 1 switch differs" in report.verdict(table)


def test_a_trial_that_diverged_is_counted_and_left_out():
    table = compare(made({BASE: [[10.0], [11.0], [12.0]], "dropout": [[20.0], None, [22.0]]}), smooth=False)
    line = table.lines[1]
    assert (line.diverged, line.differences) == (1, {0: 10.0, 2: 10.0})
    assert "1 diverged" in report.cells(line)[2]


def test_all_are_compared_at_the_last_moment_that_all_have():
    table = compare(made({BASE: [[9.0, 5.0], [9.0, 5.0, 1.0]], "dropout": [[8.0, 4.0, 2.0], [8.0, 4.0]]}), smooth=False)
    assert table.mark == 200
    assert table.lines[0].mean == 5.0


def test_smoothing_keeps_a_constant_and_weighs_the_newest_most():
    assert [value for _, value in smoothed([(1, 7.0), (2, 7.0), (3, 7.0)])] == pytest.approx([7.0] * 3)
    # By hand, weight 0.5: (0.25 * 8 + 0.5 * 4 + 1 * 1) / 1.75
    assert smoothed([(1, 8.0), (2, 4.0), (3, 1.0)], 0.5)[-1] == (3, pytest.approx(5 / 1.75))


def test_spread_is_the_sample_standard_deviation():
    values = [3.0, 1.0, 4.0, 1.0, 5.0]
    assert spread(values) == pytest.approx(reference.stdev(values))
    assert spread([3.0]) is None


def test_switches_that_do_nothing_exceed_the_spread_as_often_as_is_said():
    source, beyond, trials = random.Random(3), 0, 3_000
    for _ in range(trials):
        differences = [source.gauss(0, 1) for _ in range(3)]
        beyond += abs(reference.mean(differences)) > reference.stdev(differences)
    assert beyond / trials == pytest.approx(two_sided(math.sqrt(3), 2), abs=0.03)


# On disk


def test_a_study_trains_every_trial_and_keeps_results_that_outlive_the_runs():
    study = store.create(points())
    assert study.state() == "interrupted"
    assert driving.train_here(study) == "finished"
    found = outcome(study)
    assert {(trial.state, len(trial.scores)) for trial in found.trials} == {("finished", SCORES)}
    assert all(trial.scores[-1][0] == found.plan.images for trial in found.trials)
    assert len(found.real) == 2
    assert all(len(runs.find(trial.run).checkpoints()) == 1 for trial in found.trials)
    for trial in found.trials:
        runs.delete(runs.find(trial.run))
    again = outcome(study)
    assert again.trials == found.trials
    assert again.pictures.keys() == {BASE, "flipped"}
    assert compare(again, smooth=False).lines[1].p is not None


def test_a_study_that_is_stopped_goes_on_to_the_same_numbers():
    whole, stopped = store.create(points()), store.create(points())
    driving.train_here(whole)

    def stop_in_the_second(variant, seed, status: Status):
        if variant.name == "flipped" and status.images:
            stopped.want("stop")

    assert driving.train_here(stopped, stop_in_the_second) == "stopped"
    assert 1 <= stopped.progress()[0] < 4
    assert driving.train_here(store.find(stopped.id)) == "finished"
    assert [one.scores for one in outcome(stopped).trials] == [one.scores for one in outcome(whole).trials]


def test_deleting_a_study_deletes_its_runs_and_no_other():
    other = runs.create(tiny().recipe, queued=False)
    study = store.create(tiny())
    driving.begin(study, study.plan().variants[0], 0, queued=False)
    store.delete(study)
    assert [run.id for run in runs.list_runs()] == [other.id]
    with pytest.raises(ValueError, match="no study"):
        store.find(study.id)


def test_two_processes_do_not_drive_one_study():
    study = store.create(tiny())
    with study.driving() as held:
        assert held
        assert study.state() == "running"
        with pytest.raises(ValueError, match="another process"):
            driving.train_here(study)
        with pytest.raises(ValueError, match="stop it before"):
            store.delete(study)
    assert study.state() == "interrupted"


@pytest.mark.parametrize("id", ["../../etc", "20261122-121500-3f2a", "", "x" * 500])
def test_unknown_studies_are_told(id):
    with pytest.raises(ValueError, match="study"):
        store.find(id)


def finish(run, score: float) -> None:
    """What a worker would leave behind."""
    images = run.recipe().stop_images
    (run.folder / "metrics.jsonl").write_text(json.dumps({"images": images, "score": score}) + "\n")
    run.write_status(Status("finished", images, 1.0))


def test_a_server_queues_no_more_trials_than_may_train_at_once_and_ends_with_all_of_them():
    driver = driving.Driver(Manager(limit=2))
    study, later = store.create(tiny()), store.create(tiny())
    driver.drive(study.id)
    driver.drive(later.id)
    assert driver.ahead(later.id) == 1
    seen = 0
    for _ in range(2):
        driver.look()
        waiting = [run for run in store.runs_of(study) if run.written_status().state == "queued"]
        assert len(waiting) <= 2
        assert store.runs_of(later) == []  # one study after the other
        for run in waiting:
            seen += 1
            finish(run, 10.0 + seen)
    driver.look()
    assert seen == 4
    assert study.state() == "finished"
    driver.look()
    assert store.runs_of(later)
    driver.close()
    assert later.state() == "interrupted"


def test_a_full_queue_is_told_and_tried_again(monkeypatch):
    driver = driving.Driver(Manager(limit=2))
    study = store.create(tiny())
    runs.create(tiny().recipe)
    monkeypatch.setenv("GANPLAY_QUEUE", "1")
    driver.drive(study.id)
    driver.look()
    assert "queue is full" in study.note()
    monkeypatch.setenv("GANPLAY_QUEUE", "5")
    driver.look()
    assert study.note() == ""
    assert len(store.runs_of(study)) == 2
    driver.stop(study.id)
    driver.look()
    assert {run.status().state for run in store.runs_of(study)} == {"stopped"}
    assert study.state() == "stopped"
    driver.drive(study.id)  # again: the same runs go on
    driver.look()
    assert {run.status().state for run in store.runs_of(study)} == {"queued"}
    driver.delete(study.id)
    assert store.runs_of(study) == []


def test_a_run_that_failed_for_want_of_something_stops_the_study_and_is_no_result():
    driver = driving.Driver(Manager(limit=1))
    study = store.create(tiny())
    driver.drive(study.id)
    driver.look()
    (run,) = store.runs_of(study)
    run.write_status(Status("failed", message="The disk is full."))
    driver.look()
    driver.look()
    assert study.note() == "The disk is full."
    assert study.state() == "stopped"
    driver.drive(study.id)  # once it is mended
    driver.look()
    assert run.status().state == "queued"
    assert study.state() == "running"
    assert study.note() == ""
    driver.close()


def test_a_run_that_diverged_is_a_result():
    driver = driving.Driver(Manager(limit=1))
    study = store.create(tiny())
    driver.drive(study.id)
    driver.look()
    (run,) = store.runs_of(study)
    run.write_status(Status("failed", message="Training diverged: a loss or weight is not finite."))
    driver.look()
    assert study.progress()[0] == 1
    assert len(store.runs_of(study)) == 2
    driver.close()


# What comes with the program, and the command line


@pytest.mark.parametrize("name", bundled_names())
def test_bundled_studies_are_small_whole_and_can_be_made_again(name):
    found = bundled(name)
    from ganplay.studies.outcome import BUNDLED

    assert (BUNDLED / f"{name}.json").stat().st_size < 200_000
    assert all(trial.over for trial in found.trials)
    assert len(found.trials) == len(found.plan.trials())
    assert found.machine["processor"]
    assert found.pictures.keys() == {one.name for one in found.plan.variants}
    table = compare(found)
    assert table.mark == found.plan.images
    assert len(table.comparisons) == len(found.plan.variants) - 1
    assert table.real < table.lines[0].mean  # real data is nearer to real data than anything here


def test_show_and_list_print_what_there_is(capsys):
    study = store.create(points())
    driving.train_here(study)
    assert main(["study", "list"]) == 0
    assert "finished" in capsys.readouterr().out
    assert main(["study", "show", study.id, "--markdown"]) == 0
    shown = capsys.readouterr().out
    assert "| 10 % flipped labels |" in shown
    assert "real training data" in shown
    assert main(["study", "show", study.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"] == study.plan().to_json()
    assert main(["study", "show", "nonsense"]) == 2
    assert main(["study", "delete", study.id]) == 0
    assert store.list_studies() == []


def test_an_unfinished_study_is_exported_with_its_whole_seeds():
    study = store.create(tiny(seeds=2))
    plan_ = study.plan()
    for variant, seed in plan_.trials()[:3]:
        study.settle(Trial(variant.name, seed, "finished", None, 64, 1.0, ((64, 5.0 + seed),)))
    made_ = outcome(study).to_json()
    assert made_["plan"]["seeds"] == [0]
    assert {trial["seed"] for trial in made_["trials"]} == {0}
