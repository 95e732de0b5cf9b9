"""Trains one run: consumes the trainer's steps and writes the run's folder.

`work(run)` does it in this process, for the command line. `python -m ganplay.runs.worker <id>` is the manager's child:
it takes the run's lock before it imports torch, trains only what is queued, and takes the end of its standard input,
a pipe from the server, for the server's death.
"""

from __future__ import annotations

import argparse
import errno
import faulthandler
import os
import signal
import stat
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from ganplay import memory
from ganplay.processes import standard_input_ended
from ganplay.runs import store
from ganplay.runs.folder import Run, Status
from ganplay.runs.reporter import Reporter

CHECKPOINT_SECONDS = 30.0
POLL = 0.1  # seconds between two looks for a request
CLAIM = 10.0  # seconds to wait for the lock, which a reader may hold for a moment
_LEAVING = {  # request -> the state it leads to, and its sentence
    "pause": ("paused", "Paused at {images:,} images."),
    "stop": ("stopped", "Stopped at {images:,} images; it can be resumed."),
    "interrupt": ("interrupted", "Interrupted at {images:,} images; it can be resumed."),
}


def work(
    run: Run,
    on_tick: Callable[[Status], None] | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Status:
    """Trains a run in this process until it ends, is asked to pause or stop, or fails; returns its last status.

    A first Ctrl-C (in the main thread) pauses the run at the next step: it has a checkpoint, and `work` returns. A
    second one raises KeyboardInterrupt at once; the run is then interrupted and goes back to its last checkpoint.
    SIGTERM makes a checkpoint and leaves the run interrupted. The number of torch's threads becomes the run's.

    Args:
        on_tick: called with each status written, at most twice a second.
        checkpoint_seconds: least time between two checkpoints.

    Raises:
        ValueError: another process trains this run, or it is finished.
    """
    with run.locked(wait=CLAIM) as held:
        if not held:
            raise ValueError(f"The run '{run.label}' is being trained by another process.")
        state = run.written_status().state
        if state == "finished":
            raise ValueError(f"The run '{run.label}' is finished; fork it with a later stop to train it further.")
        if state != "queued":  # then nobody has cleared what was asked of an earlier worker
            run.forget_request()
        return _train(run, Wishes(run), on_tick, checkpoint_seconds)


class Wishes:
    """What others want of this worker: requests in the folder, signals, and the end of the server.

    Args:
        served: standard input, if it is a pipe, comes from the server; its end then means the server's.
    """

    def __init__(self, run: Run, served: bool = False) -> None:
        self.sudden = ""
        self._run = run
        self._served = served and stat.S_ISFIFO(os.fstat(0).st_mode)
        self._next = 0.0

    def now(self) -> str:
        """The wish to fulfil at this moment, or an empty text."""
        if self.sudden:
            return self.sudden
        if time.monotonic() < self._next:
            return ""
        self._next = time.monotonic() + POLL
        if self._served and standard_input_ended():
            self.sudden = "interrupt"
            return self.sudden
        return self._run.request()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Turns signals into wishes inside the block; only the main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        wishes = {signal.SIGINT: "pause", signal.SIGTERM: "interrupt"}

        def wish(number: int, frame: object) -> None:
            self.sudden = wishes[signal.Signals(number)]
            signal.signal(signal.SIGINT, signal.default_int_handler)  # the next Ctrl-C does not wait

        before = {number: signal.signal(number, wish) for number in wishes}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Leave(BaseException):
    """Someone wants the worker to end. No Exception, so that nothing that prepares data takes it for an error."""

    def __init__(self, wish: str) -> None:
        self.wish = wish


def _train(run: Run, wishes: Wishes, on_tick: Callable[[Status], None] | None, checkpoint_seconds: float) -> Status:
    """Trains a run whose lock this process holds, and turns whatever ends it into a status."""
    reporter = Reporter(run, on_tick)
    with wishes.listening():
        try:
            reporter.start("Starting.")
            return _steps(run, wishes, reporter, checkpoint_seconds)
        except _Leave as leave:  # before the first step
            return _left(reporter, leave.wish)
        except KeyboardInterrupt:
            reporter.end("interrupted", "Interrupted; it can be resumed from its last checkpoint.")
            raise
        except ValueError as error:
            return reporter.end("failed", str(error))
        except Exception as error:
            _log(run, traceback.format_exc())
            if _is_disk_full(error):
                return reporter.end("failed", "The disk is full; free some space, then resume the run.")
            first = (str(error).splitlines() or [""])[0][:200]
            reason = f"{type(error).__name__}: {first}".rstrip(": .")
            return reporter.end("failed", f"Training failed with {reason}; worker.log has the details.")


def _steps(run: Run, wishes: Wishes, reporter: Reporter, checkpoint_seconds: float) -> Status:
    """From the recipe to the last step. Imports torch, which takes a second or two: the run is claimed by now."""
    from ganplay.acceleration import choose, prepare
    from ganplay.data.resident import load
    from ganplay.runs.past import load_newest, rewind
    from ganplay.runs.recorder import Recorder
    from ganplay.state import State
    from ganplay.trainer import train

    # Prepare
    def progress(sentence: str, share: float) -> None:
        wish = wishes.now()
        if wish in _LEAVING:
            raise _Leave(wish)
        reporter.prepare(f"Preparing {recipe.dataset.kind}: {sentence}", share)

    recipe = run.recipe()
    choices = choose(recipe, int(run.info["threads"]))
    prepare(choices)
    run.write_machine(choices.reasons)
    data = load(recipe.dataset, recipe.shapes.sample, progress=progress)
    held_out = load(recipe.dataset, recipe.shapes.sample, "test", progress) if recipe.score_every else None
    state, interval, reporter.note = load_newest(run, recipe, choices.device)
    if reporter.note:
        _log(run, reporter.note)
    state = state or State.initial(recipe, choices.device)
    if choices.compiled:
        state.compile()
    rewind(run, state.images)
    with closing(Recorder(run, state, interval, data, checkpoint_seconds)) as recorder:
        reporter.train(state.images, state.seconds, recipe)

        # Train
        with closing(train(recipe, state=state, data=data, held_out=held_out, device=choices.device)) as steps:
            for step in steps:
                recorder.take(step)
                reporter.train(step.images, step.seconds, recipe)
                wish = wishes.now()
                if wish == "checkpoint":  # forgotten first, so that a request made meanwhile stays
                    run.forget_request()
                if wish:
                    recorder.save(state)
                if wish in _LEAVING:
                    return _left(reporter, wish, state.images, state.seconds)

        # Finish
        recorder.finish(state)
    message = f"Finished: {state.images:,} images seen in {_duration(state.seconds)}."
    return reporter.end("finished", message, state.images, state.seconds)


def _left(reporter: Reporter, wish: str, images: int | None = None, seconds: float | None = None) -> Status:
    state, sentence = _LEAVING[wish]
    seen = reporter.status.images if images is None else images
    return reporter.end(state, sentence.format(images=seen), images, seconds)


def _duration(seconds: float) -> str:
    if seconds < 600:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 36_000 else f"{seconds / 3600:,.1f} h"


def _is_disk_full(error: BaseException) -> bool:
    if not isinstance(error, OSError):
        return False
    # Libraries that write files themselves pass on the system's words without its number.
    words = ("No space left", "Disk quota exceeded")
    return error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)) or any(word in str(error) for word in words)


def _log(run: Run, text: str) -> None:
    try:
        with (run.folder / "worker.log").open("a", encoding="utf-8") as file:
            file.write(text.rstrip() + "\n")
    except OSError:
        pass  # the log must not be what fails


def main(arguments: list[str] | None = None) -> int:
    """The child's command. Ends without a word when another worker has the run or it is not queued any more."""
    parser = argparse.ArgumentParser(prog="python -m ganplay.runs.worker", description="Trains one queued run.")
    parser.add_argument("id", help="the run's id, the name of its folder")
    parser.add_argument(
        "--checkpoint-seconds", type=float, default=CHECKPOINT_SECONDS, help="least time between two checkpoints"
    )
    chosen = parser.parse_args(arguments)
    faulthandler.enable()
    memory.keep()
    try:
        run = store.find(chosen.id)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    wishes = Wishes(run, served=True)
    with run.locked(wait=CLAIM) as held:
        if held and run.written_status().state == "queued":
            _train(run, wishes, None, chosen.checkpoint_seconds)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # everything is on disk; taking torch apart would hold the place in the queue for a second or more
