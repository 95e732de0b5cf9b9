"""Training a run in the foreground."""

from __future__ import annotations

import sys
import time

import tqdm

from ganplay.runs.folder import Run, Status
from ganplay.runs.worker import work

SELDOM = 30.0  # seconds between two lines of progress where they go to a file


def follow(run: Run) -> int:
    """Trains a run to its end with a progress bar and says what came of it.

    Returns:
        0 when it finished, was paused or stopped, 1 when it failed or was interrupted.
    """
    print(f"{run.id}\n{run.folder}")
    total, begun = int(run.recipe_json()["stop_images"]), run.status().images
    with tqdm.tqdm(total=total, initial=begun, unit=" images", unit_scale=True) as bar:
        said, next_line = False, 0.0

        def tick(status: Status) -> None:
            nonlocal said, next_line
            if status.state == "running" and not said:
                said = True
                for reason in run.reasons:
                    bar.write(f"- {reason}", file=sys.stderr)
            if not sys.stderr.isatty():
                if time.monotonic() < next_line:
                    return
                next_line = time.monotonic() + SELDOM
            bar.set_description_str("" if status.state == "running" else status.message, refresh=False)
            bar.n = status.images
            if points := run.metrics(limit=1):
                means = {"D": points[0]["discriminator_loss"], "G": points[0]["generator_loss"]}
                bar.set_postfix({name: f"{value:.3f}" for name, value in means.items()}, refresh=False)
            bar.refresh()

        status = work(run, tick)
    good = status.state in ("finished", "paused", "stopped")
    print(status.message, file=sys.stdout if good else sys.stderr)
    if seen := run.samples():
        print(f"Samples: {run.sample_path(seen[-1])}")
    if status.state != "finished":
        print(f"Go on with: ganplay resume {run.id}")
    return 0 if good else 1
