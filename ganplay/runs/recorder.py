"""What one worker writes into its run's folder while it trains: curves, sample pictures and checkpoints."""

from __future__ import annotations

import io
import json
import math
import os
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganplay import checkpoint
from ganplay.data.resident import Samples
from ganplay.files import write_atomically
from ganplay.latent.noise import fixed_noise, grid_size
from ganplay.pictures import draw
from ganplay.probes.gradients import GradientMeter
from ganplay.runs import store
from ganplay.runs.folder import Run, sidecar
from ganplay.runs.past import Interval, interval_json
from ganplay.state import State
from ganplay.trainer import Step, sample

AVERAGED = ("discriminator_loss", "generator_loss", "penalty", "accuracy_real", "accuracy_fake")
NETWORKS = ("discriminator", "generator")
LOSSES = 3  # the first of them, which must stay finite
KEPT = 3  # checkpoints
QUOTA_SECONDS = 30.0  # least time between two looks at the size of all runs
PATIENCE = 20.0  # a checkpoint that took t seconds is followed by at least 20 t without one: at most 5 % of the time
SHOWN_POINTS = 512


class DivergenceError(ValueError):
    """The numbers of a run are no longer finite; what is on disk is from before."""


class Recorder:
    """Takes the steps of a run one by one.

    Everything it writes is a function of the steps alone, except the clock's fields and the times of checkpoints, so
    that a run which was resumed leaves the same folder as one that was not.

    Args:
        state: where training starts from.
        interval: what the curves' next point had gathered when that state was saved.
        data: real samples, shown behind the samples of a 2-D run.
        checkpoint_seconds: least time between two checkpoints that nobody asked for.
    """

    def __init__(self, run: Run, state: State, interval: Interval, data: Samples, checkpoint_seconds: float) -> None:
        self.run = run
        self.recipe = state.recipe
        sums = interval.sums[: len(AVERAGED)] or [0.0] * len(AVERAGED)
        self._sums = torch.tensor(sums, dtype=torch.float32, device=state.device)
        self._steps = interval.steps
        self._score = interval.score
        self._meters = {name: GradientMeter(getattr(state, name)) for name in NETWORKS}
        self._restore_meters(interval.sums[len(AVERAGED) :])
        self._images = self._saved = state.images
        self._point = state.images, state.seconds  # of the last point, for the rate
        self._checkpoint_seconds = checkpoint_seconds
        self._next_checkpoint = time.monotonic() + checkpoint_seconds
        self._next_quota = 0.0
        flat = len(state.recipe.shapes.sample) == 1
        count, self._columns = grid_size(state.recipe)
        self._noise = fixed_noise(state.recipe, SHOWN_POINTS if flat else count)
        self._real = data.batch(torch.arange(min(SHOWN_POINTS, len(data))))[0] if flat else None
        self._metrics = (run.folder / "metrics.jsonl").open("ab", buffering=0)
        if state.images == 0:
            self.draw(state)

    def take(self, step: Step) -> None:
        """Adds one step and writes what is due: a point, a picture, a checkpoint.

        Raises:
            DivergenceError: a loss or a weight is infinite or not a number.
            ValueError: the disk quota is used up; a checkpoint has just been made.
            OSError: something cannot be written.
        """
        self._sums += torch.stack([getattr(step, name) for name in AVERAGED])
        for meter in self._meters.values():
            meter.update()
        self._steps += 1
        self._score = self._score if step.score is None else step.score
        before, self._images = self._images, step.images
        if self._images // self.recipe.log_every > before // self.recipe.log_every:
            self.write_point(step.state)
        if self._images // self.recipe.sample_every > before // self.recipe.sample_every:
            self.draw(step.state)
        if time.monotonic() >= self._next_checkpoint:
            self.save(step.state)
            if time.monotonic() >= self._next_quota:
                store.refuse_over_quota("delete some, then resume this one")
                self._next_quota = time.monotonic() + QUOTA_SECONDS

    def finish(self, state: State) -> None:
        """The last point, picture and checkpoint of a run that is over."""
        if self._steps:
            self.write_point(state)
        if state.images not in self.run.samples():
            self.draw(state)
        self.save(state)

    def write_point(self, state: State) -> None:
        """Appends the means since the last point to the curves, those of both networks' gradients among them.

        After several updates in one round the gradients are those of the last one.
        """
        means = dict(zip(AVERAGED, (self._sums / self._steps).tolist(), strict=True))
        if not all(math.isfinite(means[name]) for name in AVERAGED[:LOSSES]):
            raise self._diverged()
        images, seconds = self._point
        point = {
            "images": state.images,
            "round": state.rounds,
            "seconds": round(state.seconds, 3),
            **{name: _short(value) for name, value in means.items()},
            "rate": round((state.images - images) / max(state.seconds - seconds, 1e-9), 1),
            "score": self._score,
            **self._gradients(),
        }
        line = json.dumps(point).encode() + b"\n"
        while line:  # unbuffered, so that what could not be written is not tried again later
            line = line[self._metrics.write(line) :]
        self._sums.zero_()
        for meter in self._meters.values():
            meter.reset()
        self._steps, self._score = 0, None
        self._point = state.images, state.seconds

    def draw(self, state: State) -> None:
        """Saves the picture of the averaged generator's samples from the fixed noise."""
        buffer = io.BytesIO()
        with torch.random.fork_rng(devices=[]):  # whatever a network draws, training must not notice
            torch.manual_seed(self.recipe.seed)
            picture = draw(sample(state, self._noise), self._real, self._columns)
        picture.save(buffer, "WEBP", quality=90)
        write_atomically(self.run.sample_path(state.images), buffer.getvalue())

    def save(self, state: State) -> None:
        """Writes a checkpoint, unless this very state has one, and removes the oldest beyond the newest few.

        Raises:
            DivergenceError: a weight is infinite or not a number; no file is touched.
        """
        if state.images == self._saved:
            return
        started = time.monotonic()
        if not all(_is_finite(network) for network in (state.generator, state.average, state.discriminator)):
            raise self._diverged()
        path = self.run.folder / "checkpoints" / f"{state.images:09d}.safetensors"
        os.fsync(self._metrics.fileno())  # a checkpoint must not survive a power cut that its curves do not
        gathered = [number for meter in self._meters.values() for number in meter.gathered()]
        interval = Interval(self._steps, (*self._sums.tolist(), *gathered), self._score)
        write_atomically(sidecar(path), json.dumps(interval_json(interval)))
        checkpoint.save(path, state)
        self._saved = state.images
        kept = self.run.checkpoints()[:KEPT]
        for old in path.parent.glob("[0-9]*.*"):
            if old.suffix in (".safetensors", ".json") and old.with_suffix(".safetensors") not in kept:
                old.unlink(missing_ok=True)
        now = time.monotonic()
        self._next_checkpoint = now + max(self._checkpoint_seconds, PATIENCE * (now - started))

    def close(self) -> None:
        """Lets the files go."""
        self._metrics.close()

    def _gradients(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Means [small, total, norm] of each layer of each network, and the largest norm, in which a spike shows."""
        read = {network: meter.read() for network, meter in self._meters.items()}
        return {
            "gradients": {
                network: {layer: [_short(one.small), one.total, _short(one.norm)] for layer, one in layers.items()}
                for network, layers in read.items()
            },
            "largest_gradients": {
                network: {layer: _short(one.largest) for layer, one in layers.items()}
                for network, layers in read.items()
            },
        }

    def _restore_meters(self, gathered: Sequence[float]) -> None:
        """Goes on with an unfinished interval; without gradients, or with those of other layers, it begins anew."""
        if len(gathered) == sum(map(len, self._meters.values())):
            for meter in self._meters.values():
                meter.restore(gathered[: len(meter)])
                gathered = gathered[len(meter) :]

    def _diverged(self) -> DivergenceError:
        newest = self.run.checkpoints()[:1]
        kept = f"the checkpoint at {int(newest[0].stem):,} images is kept." if newest else "there is no checkpoint yet."
        return DivergenceError(f"Training diverged: a loss or weight is not finite at {self._images:,} images; {kept}")


def _short(value: float) -> float | None:
    """Six digits, for curves; None for what JSON cannot say, an infinity or not a number."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _is_finite(network: nn.Module) -> bool:
    values: list[Tensor] = [value for value in network.state_dict().values() if value.is_floating_point()]
    return all(bool(torch.isfinite(value).all()) for value in values)
