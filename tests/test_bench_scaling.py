"""Growth of cost and of memory: the arithmetic on known readings, and one small real run each."""

import io
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ganplay.benchmarks import Options, memory, scaling
from ganplay.benchmarks.memory import Reading, fitted, halves, resident, row
from ganplay.recipes import recipe

linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")


def options(**changes):
    return Options(**{"seconds": 0.2, "threads": 1, "say": lambda sentence: None, "windows": 4} | changes)


# Cost


class StandIn:
    """A process whose windows take as long as a test says: `pace(recipe, windows before)` seconds an image."""

    def __init__(self, pace, recipe):
        self.pace, self.recipe, self.windows = pace, recipe, -1  # the first window warms up

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def ready(self):
        pass

    def window(self, seconds, rounds):
        self.windows += 1
        return {"images": 100, "seconds": 100 * self.pace(self.recipe, self.windows)}


def measured(pace, sides=scaling.SIDES, **changes):
    """Rows as dictionaries of a table that stands on such processes."""
    asked = options(**changes)
    table = scaling.measure(asked, sides=sides, start=lambda side, recipe, threads: StandIn(pace, recipe))
    return [dict(zip(table.columns, cells, strict=True)) for cells in table.rows]


def per_image(recipe):
    """Multiply-adds, by the area alone: what convolutions do with maps of another side."""
    return recipe.image_size**2


def test_multiply_adds_grow_with_the_area_of_a_convolutional_recipe():
    found = [row["million multiply-adds an image"] for row in measured(lambda recipe, windows: 1.0)]
    assert found[1] / found[0] == pytest.approx(4, rel=0.05)  # the linear first layer and the last one differ
    assert found[2] / found[1] == pytest.approx(4, rel=0.05)


def test_cost_that_follows_the_work_is_one_at_every_size():
    found = measured(lambda recipe, windows: 1e-6 * per_image(recipe))
    assert [row["pixels"] for row in found] == [16, 32, 64]
    assert [row["time a multiply-add, against the smallest images"] for row in found] == pytest.approx([1] * 3, rel=0.1)
    assert [row["ms an image"] for row in found] == pytest.approx([0.256, 1.024, 4.096])
    assert [row["images/s"] * row["ms an image"] for row in found] == pytest.approx([1000] * 3)


def test_cost_that_grows_faster_than_the_work_shows():
    found = measured(lambda recipe, windows: 1e-6 * per_image(recipe) ** 2)
    assert found[2]["time a multiply-add, against the smallest images"] == pytest.approx(16, rel=0.1)


def test_a_run_that_tires_is_slower_than_a_new_one():
    found = measured(lambda recipe, windows: 1.0 + windows, windows=6)[0]
    assert found["second half / first half"] == pytest.approx((5 + 6 + 7) / (2 + 3 + 4))
    assert found["old run / new run"] == pytest.approx(6 / 3)  # 5/2, 6/3, 7/4
    assert found["images of the run"] == 600


def test_a_machine_that_slows_down_leaves_old_and_new_alike():
    calls = iter(range(100))  # the pace changes after every second window: both runs of a turn have the same one
    found = measured(lambda recipe, windows: 1.0 + next(calls) // 2, sides=(16,))[0]
    assert found["second half / first half"] > 1.2
    assert found["old run / new run"] == pytest.approx(1.0)


def test_a_real_recipe_is_measured_in_processes_of_its_own():
    table = scaling.measure(options(windows=2), sides=(16,))
    (cells,) = table.rows
    assert len(cells) == len(table.columns)
    assert cells[:2] == ("quick-digits", 16)
    assert all(cell > 0 for cell in cells[2:])
    assert cells[6] >= 2 * scaling.LEAST_ROUNDS * recipe("quick-digits").batch_size


@pytest.mark.parametrize(("sides", "asked", "sentence"), [
    ((16,), {"windows": 1}, "windows is 1; the halves"),
    ((32, 16), {}, "ascending order"),
    ((), {}, "ascending order"),
    ((20,), {}, "image_size is 20"),
    ((16,), {"recipes": ("toy-ring",)}, "toy-ring makes points"),
])  # fmt: skip
def test_what_cannot_be_scaled_is_refused(sides, asked, sentence):
    with pytest.raises(ValueError, match=sentence):
        scaling.measure(options(**asked), sides=sides)


# Memory


def test_the_line_and_its_error_are_those_of_scipy():
    random = np.random.default_rng(0)
    x = np.sort(random.uniform(0, 10, 30))
    y = 400 + 0.3 * x + random.normal(size=30)
    expected, found = stats.linregress(x, y), fitted(x, y)
    assert found.slope == pytest.approx(expected.slope)
    assert found.error == pytest.approx(expected.stderr)


def run(leak=0, warming=0, steps=10_000, count=101):
    """Readings of a worker that loses so many bytes a step, and takes so many more in its first tenth."""
    return [Reading(at, 0.001 * at, 300_000_000 + leak * at + warming * min(at, steps // 10))
            for at in np.linspace(0, steps, count, dtype=int).tolist()]  # fmt: skip


def named(readings, steps=10_000):
    return dict(zip(memory.COLUMNS, row("toy-ring", steps, readings), strict=True))


def test_a_leak_is_the_slope():
    assert named(run(leak=500))["slope, MB per 1,000 steps"] == pytest.approx(0.5)


def test_what_the_warm_up_takes_is_no_leak():
    found = named(run(warming=50_000))
    assert found["slope, MB per 1,000 steps"] == pytest.approx(0.0, abs=1e-9)
    assert found["MB after the warm-up"] == found["MB at the end"] == found["most MB"] == 350.0
    assert found["readings behind the line"] == 81


def test_halves_compare_the_time_of_a_step():
    readings = [
        Reading(0, 0.0, 1),
        Reading(50, 1.0, 1),
        Reading(100, 2.0, 1),
        Reading(150, 4.0, 1),
        Reading(200, 6.0, 1),
    ]
    assert halves(readings) == pytest.approx(2.0)
    assert halves(readings[:2]) is None


@linux
def test_the_resident_set_grows_with_what_a_process_holds():
    before = resident(os.getpid())
    held = bytearray(b"x") * 64_000_000
    assert resident(os.getpid()) - before == pytest.approx(len(held), rel=0.1)


def test_a_process_that_ended_has_no_resident_set():
    assert resident(2**22 + 1) is None  # above what Linux hands out


@linux
def test_a_real_worker_is_read_while_it_trains(home):
    readings = memory.watched(memory._recipe("toy-ring", 300, ()), threads=1)
    steps = [one.steps for one in readings]
    assert steps
    assert steps == sorted(set(steps))
    assert steps[-1] <= 300
    assert all(50e6 < one.bytes < 8e9 for one in readings)  # PyTorch alone takes more than the one
    assert not (home / "runs").exists()  # the run lived elsewhere


def test_a_run_that_cannot_be_made_gives_its_reason(monkeypatch, capsys):
    monkeypatch.setenv("GANPLAY_RUN_GB", "0.000001")
    asked = [recipe("toy-ring").to_json(), 1]
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(asked)))
    memory.main()
    assert "would need about" in json.loads(capsys.readouterr().out)["error"]


@linux
def test_the_reason_reaches_whoever_asked(monkeypatch):
    answer = subprocess.CompletedProcess([], 0, '{"error": "No room."}\n')
    monkeypatch.setattr(memory.subprocess, "run", lambda *words, **about: answer)
    with pytest.raises(ValueError, match=r"^No room\.$"):
        memory.watched(recipe("toy-ring"), threads=1)


@linux
def test_too_few_steps_are_refused():
    with pytest.raises(ValueError, match="20 steps of quick-digits are too few"):
        memory.measure(options(recipes=("quick-digits",)), steps=100)


def test_too_few_readings_are_refused():
    with pytest.raises(ValueError, match="2 times after its warm-up"):
        row("toy-ring", 100, run(steps=100, count=3))
