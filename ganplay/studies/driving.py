"""What drives a study: each of its trials becomes an ordinary run, and what came of it is kept in the study.

Ordinary runs, on points too: so a trial waits in the same queue as everybody's runs, keeps to the server's limits, goes
on to the bit after a restart, and can be opened, sampled and evaluated. The tiny engine would train all seeds on points
as one computation, but knows neither dropout nor spectral norm nor unequal numbers of updates side by side.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from ganplay.runs import store as runs
from ganplay.runs.folder import Run, Status
from ganplay.studies import store
from ganplay.studies.plan import Variant
from ganplay.studies.store import Study
from ganplay.studies.trial import Trial

if TYPE_CHECKING:
    from ganplay.runs.manager import Manager

PERIOD = 0.5  # seconds between two looks
MOST_WAITING = 10  # studies that a server drives or keeps waiting
ACTIVE = ("queued", "starting", "running")
log = logging.getLogger(__name__)


def begin(study: Study, variant: Variant, seed: int, queued: bool, threads: int | None = None) -> Run:
    """The run of a trial, made if there is none.

    Raises:
        ValueError: as of `runs.store.create`.
    """
    with suppress(ValueError):
        return runs.find(str(study.trial(variant.name, seed).run))
    plan = study.plan()
    recipe = plan.trial(variant, seed)
    run = runs.create(recipe, recipe.title[-80:], plan.base, study.id, threads, queued=queued)
    study.assign(variant.name, seed, run)
    return run


def train_here(study: Study, on_tick: Callable[[Variant, int, Status], None] | None = None, threads: int = 1) -> str:
    """Trains what is left of a study in this process, one trial after the other; its state afterwards.

    Ctrl-C stops the study with a checkpoint, and so does whoever asks it to stop.

    Raises:
        ValueError: another process drives it.
    """
    from ganplay.runs.worker import work  # its training imports torch

    with study.driving(wait=1.0) as held:
        if not held:
            raise ValueError(f"The study '{study.title}' is being driven by another process.")
        study.want("run")
        study.say("")
        for variant, seed in study.plan().trials():
            if settle(study, study.trial(variant.name, seed)):
                continue
            run = begin(study, variant, seed, queued=False, threads=threads)

            def tick(status: Status, variant: Variant = variant, seed: int = seed, run: Run = run) -> None:
                if study.wish() != "run" and status.live and not run.request():
                    run.ask("stop")
                if on_tick:
                    on_tick(variant, seed, status)

            status = work(run, tick)
            if not settle(study, study.trial(variant.name, seed)):
                study.want("stop")
                study.say(status.message if status.state == "failed" else "")
                break
    return study.state()


def settle(study: Study, trial: Trial) -> bool:
    """True for a trial that is over. Its result is kept, and with the first one the score of real data."""
    if not trial.over:
        return False
    if not study.real():
        from ganplay.studies.real import real_scores  # imports torch

        study.keep_real(real_scores(study.plan()))
    if not study.kept(trial.name, trial.seed):
        study.settle(trial)
    return True


def halt(study: Study, stop: Callable[[str], None]) -> None:
    """Stops every run of a study that trains or waits."""
    for trial in study.trials():
        if trial.state in ACTIVE:
            with suppress(ValueError):  # it has ended meanwhile
                stop(str(trial.run))


class Driver:
    """Drives the studies of one server through its run manager, one study after the other.

    A study has at most as many runs in the queue as may train at once: others get their turn between its trials.
    """

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._held: dict[str, ExitStack] = {}  # id -> the lock of a study that this server drives, oldest first
        self._guard = threading.RLock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to look, in a thread of its own. No effect when it already does."""
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True, name="studies")
                self._thread.start()

    def close(self) -> None:
        """Lets all studies go; they are interrupted then."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(5)
        with self._guard:
            for lock in self._held.values():
                lock.close()
            self._held.clear()

    def drive(self, id: str) -> None:
        """Begins with a study or goes on with it, after those that this server drives already.

        Raises:
            ValueError: there is no such study, too many wait, or another process drives it.
        """
        study = store.find(id)
        with self._guard:
            if id not in self._held:
                if len(self._held) >= MOST_WAITING:
                    raise ValueError(f"{MOST_WAITING} studies run or wait on this server; try again when one is over.")
                lock = ExitStack()
                if not lock.enter_context(study.driving(wait=1.0)):
                    raise ValueError(f"The study '{study.title}' is being driven by another process.")
                self._held[id] = lock
            for trial in study.trials():
                if trial.state == "failed" and not trial.over:  # what was in its way may have been mended
                    self._manager.resume(str(trial.run))
            study.want("run")
        self._wake.set()

    def stop(self, id: str) -> None:
        """Stops a study: the trials that train make a checkpoint.

        Raises:
            ValueError: there is no such study.
        """
        study = store.find(id)
        study.want("stop")
        self._wake.set()

    def delete(self, id: str) -> None:
        """Stops and removes a study with its runs.

        Raises:
            ValueError: there is no such study, or another process drives it.
        """
        study = store.find(id)
        with self._guard:
            if id not in self._held and study.is_driven():
                raise ValueError(f"The study '{study.title}' is being driven by another process; stop it there.")
            study.want("stop")
            if lock := self._held.pop(id, None):
                lock.close()
            for run in store.runs_of(study):
                self._manager.delete(run.id)
            store.delete(study)

    def ahead(self, id: str) -> int:
        """How many studies this server drives before that one."""
        driven = list(self._held)  # not under the guard: a page must not wait for a look
        return driven.index(id) if id in driven else 0

    def _watch(self) -> None:
        while not self._closing.is_set() and not self._manager.closing:
            try:
                self.look()
            except Exception:  # a damaged folder or a full disk must not end all studies
                log.exception("The studies could not be looked at; it is tried again.")
            self._wake.wait(PERIOD if self._held else 4 * PERIOD)
            self._wake.clear()

    def look(self) -> None:
        """One round: let go of what is over or unwanted, go on with the oldest of the others."""
        with self._guard:
            first = True
            for id in list(self._held):
                study = Study(id, store.folder() / id)
                if study.wish() != "run" or not study.folder.is_dir():
                    halt(study, self._manager.stop)
                    self._held.pop(id).close()
                elif first:
                    first = False
                    if self._advance(study):
                        self._held.pop(id).close()

    def _advance(self, study: Study) -> bool:
        """Keeps what is over and starts what fits; True when every trial is over."""
        plan = study.plan()
        left = [one for one in study.trials() if not settle(study, one)]
        active = sum(one.state in ACTIVE for one in left)
        try:
            for trial in left:
                if active >= self._manager.limit:
                    break
                if trial.state in ACTIVE:
                    continue
                if trial.state in ("waiting", "lost"):
                    begin(study, plan.variant(trial.name), trial.seed, queued=True)
                elif trial.state == "failed":  # not for want of convergence: its reader has to mend something first
                    study.want("stop")
                    raise ValueError(trial.message)
                else:  # paused, stopped at the end of a turn, or interrupted
                    self._manager.resume(str(trial.run))
                active += 1
            study.say("")
        except ValueError as error:  # the queue is full or the disk: tried again at the next look
            study.say(str(error))
        return not left
