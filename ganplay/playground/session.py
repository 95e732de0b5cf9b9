"""A world that somebody looks at: whether it plays and how fast, slow motion, what is shown, and who waits for it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from ganplay.playground import frames
from ganplay.playground.actions import act
from ganplay.playground.limits import MOST_ITERATIONS
from ganplay.playground.measures import Measures, measure
from ganplay.playground.script import Script
from ganplay.playground.stages import SlowMotion
from ganplay.playground.world import World

PERIOD = 1 / 8  # seconds between two frames, at the least
STAGE = 1.2  # seconds of one stage in slow motion that plays
UNSEEN = 10.0  # seconds after which a world that nobody looks at pauses
ABANDONED = 20.0  # and after which a journey through time rests
MOST_MEASURED = 400  # points of the measures' curves


class Session:
    """One playground of one reader.

    Args:
        kept: what `kept` gave before, of this process or of one that died; the reader's own link in "script" at first.

    Raises:
        ValueError: the script is nonsense.
    """

    def __init__(self, kept: Mapping[str, Any]) -> None:
        self.world = World(Script.read(kept["script"]), int(kept.get("last", 0)))
        self.playing = bool(kept.get("playing", False))
        self.speed = int(kept.get("speed", 20))
        self.slow = SlowMotion(self.world) if kept.get("slow") and self.world.target is None else None
        self.seq = int(kept.get("seq", 0)) + 1
        self.seen = time.monotonic()
        self.due = 0.0  # when it may go on
        self.rate = self._played = 0.0  # iterations a second; when it last got its share
        self.error: str | None = None
        self.measured: list[tuple[int, list[Measures]]] = []  # by iteration
        self._measured_version = -1
        self._camera = frames.Camera(self.world)
        self._frame: tuple[int, bytes] = (-1, b"")
        self._text: tuple[Script | None, str] = (None, "")

    def play(self) -> None:
        """Trains on, a frame after the other."""
        self.playing, self.due, self.rate, self._played = True, 0.0, 0.0, 0.0

    # What the host asks

    def busy(self, now: float) -> bool:
        """True when there is something to compute, now or when it is due."""
        return self.playing or (self.world.target is not None and now - self.seen < ABANDONED)

    def pause_unseen(self, now: float) -> None:
        """Pauses when nobody has looked for ten seconds."""
        if self.playing and now - self.seen > UNSEEN:
            self.playing = False
            self._shown_anew()

    def turn(self, seconds: float, now: float) -> None:
        """Its share of the processor: so many seconds at most, one iteration at least."""
        try:
            if self.world.target is not None:
                self.world.work(seconds)
                self.due = now
            elif self.slow is not None:
                self.slow.next()
                self.due = now + STAGE
            else:
                self._play(seconds, now)
        except ValueError as error:  # the script's future holds something that cannot be
            self.fail(str(error))
        self._shown_anew()

    def fail(self, sentence: str) -> None:
        """Stops, and says why."""
        self.playing, self.world.target, self.error = False, None, sentence
        self._measured_version = self.world.version
        self._shown_anew()

    def _play(self, seconds: float, now: float) -> None:
        done, elapsed = self.world.work(seconds, self.speed), now - self._played
        rate = done / max(elapsed, 1e-3) if self._played else 0.0
        self.rate += 0.3 * (rate - self.rate) if self.rate else rate
        self._played, self.due = now, max(self.due + PERIOD, now)
        if self.world.at >= MOST_ITERATIONS:
            self.playing, self.error = False, f"The playground goes up to {MOST_ITERATIONS:,} iterations."

    def stale(self) -> bool:
        """True when the measures are of another moment than the one that is shown."""
        return self._measured_version != self.world.version and self.world.target is None

    def measure(self) -> None:
        """Computes the measures of this moment."""
        self._measured_version = self.world.version
        rows = {at: found for at, found in self.measured if at <= self.world.last}
        rows[self.world.at] = measure(self.world)
        self.measured = sorted(rows.items())
        if len(self.measured) > MOST_MEASURED:
            self.measured = self.measured[::2]
        self._shown_anew()

    # What the reader does

    def do(self, action: Mapping[str, Any]) -> None:
        """One action; see `ganplay.playground.actions`.

        Raises:
            ValueError: it is unknown or cannot be done; nothing has changed.
        """
        self.error = None
        act(self, action)
        self._shown_anew()

    def begin_slow_motion(self) -> None:
        """Looks at the next iteration in five stages."""
        self.slow = SlowMotion(self.world)

    def replace(self, world: World) -> None:
        """Begins anew with another world."""
        slow, self.world = self.slow is not None, world
        self._camera = frames.Camera(world)
        self.measured, self._measured_version = [], -1
        self.slow = SlowMotion(world) if slow else None

    def leave_slow_motion(self) -> None:
        """Ends the iteration that is going on."""
        if self.slow is not None:
            self.slow.finish()
            self.slow = None

    def forget_future(self) -> None:
        """After a change: what was measured later never happened."""
        self.measured = [(at, found) for at, found in self.measured if at <= self.world.at]

    def _shown_anew(self) -> None:
        self.seq += 1

    # What is sent

    def kept(self) -> dict[str, Any]:
        """All that another process needs to go on."""
        return {
            "script": self.text(), "last": self.world.last, "playing": self.playing, "speed": self.speed,
            "seq": self.seq, "slow": self.slow is not None,
        }  # fmt: skip

    def text(self) -> str:
        """The link's text for this moment."""
        script = self.world.script
        if self._text[0] is not script:
            self._text = script, script.text().partition("~")[2]
        at = self.world.at if self.world.target is None else self.world.target
        return f"{at}~{self._text[1]}"

    def frame(self) -> bytes:
        """The present frame as JSON, made once for all who wait."""
        if self._frame[0] != self.seq:
            self._frame = self.seq, json.dumps(self._compose(), separators=(",", ":"), allow_nan=False).encode()
        return self._frame[1]

    def _compose(self) -> dict[str, Any]:
        world, slow = self.world, self.slow
        members = self._camera.members()
        # After a journey back, those of then
        at, measured = next((one for one in reversed(self.measured) if one[0] <= world.at), (None, None))
        for index, member in enumerate(members):
            member["measures"] = measured[index].to_json() if measured else None
            member["measured"] = at
            if slow is not None:
                member |= {"numbers": slow.numbers[index], "batch": slow.batches[index]}
        return {
            "seq": self.seq, "at": world.at, "last": world.last, "target": world.target, "playing": self.playing,
            "speed": self.speed, "rate": round(self.rate, 1) if self.playing else 0.0,
            "stage": None if slow is None else slow.stage, "numbers": slow.numbers[0] if slow else None,
            "extent": frames.extent(world.recipes[0].dataset), "error": self.error, "script": self.text(),
            "members": members,
        }  # fmt: skip

    def curves(self, member: int) -> dict[str, Any]:
        """A member's curves: `losses`, rows of `past.Series`, and `measures`, rows with their iteration."""
        if not 0 <= member < len(self.world):
            raise ValueError(f"There is no member {member}; this playground has {len(self.world)}, counted from 0.")
        rows = [{"at": at} | found[member].to_json() for at, found in self.measured]
        return {"losses": self.world.series[member].rows(), "measures": rows}
