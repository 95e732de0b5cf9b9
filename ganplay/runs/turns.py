"""How long a run may train before others have their turn, where the environment sets a limit.

A run that used its turn up is stopped with a checkpoint, and whoever resumes it queues behind those that wait. Only
runs of a server's manager have turns; `ganplay train` on one's own computer has none.
"""

from __future__ import annotations

from dataclasses import replace

from ganplay.runs.folder import Run, Status
from ganplay.runs.limits import Turn, longest_turn


class Turns:
    """The turns of the runs that one manager trains now.

    Args:
        longest: by default what GANPLAY_RUN_MINUTES and GANPLAY_RUN_IMAGES say.

    Raises:
        ValueError: a variable is not a positive number.
    """

    def __init__(self, longest: Turn | None = None) -> None:
        self.longest = longest or longest_turn()
        self._begun: dict[str, Status] = {}
        self._over: dict[str, str] = {}

    def look(self, run: Run, status: Status) -> None:
        """Asks a run to stop when its turn is used up. Counted from the first status in which it trains."""
        if status.state != "running":
            return
        begun = self._begun.setdefault(run.id, status)
        used = Turn((status.seconds - begun.seconds) / 60, status.images - begun.images)
        reason = self._reason(used)
        if reason and not run.request():
            run.ask("stop")
            self._over[run.id] = reason

    def end(self, run: Run) -> None:
        """The run's worker has ended: its status says why, where that was the end of its turn."""
        self._begun.pop(run.id, None)
        reason = self._over.pop(run.id, None)
        if reason is None:
            return
        with run.locked() as held:
            status = run.written_status()
            if held and status.state == "stopped":  # nobody has resumed it meanwhile
                run.force_status(replace(status, message=f"Stopped at {status.images:,} images: {reason}"))

    def _reason(self, used: Turn) -> str:
        for unit, spent, allowed in zip(Turn._fields, used, self.longest, strict=True):
            if spent >= allowed:
                variable = f"GANPLAY_RUN_{unit.upper()}"
                return f"a turn on this server is {allowed:,g} {unit} ({variable}). Resume queues it for another one."
        return ""
