"""What the stories of the failure lab share: one training that breaks, cures from the same seed, a claim about all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ganplay.diagnosis import diagnose
from ganplay.diagnosis.measures import measures
from ganplay.diagnosis.readings import early_and_late, readings
from ganplay.stories.story import End, Story, Verdict


class FailureStory(Story):
    """A failure and its cures. A subclass says what is trained and what numbers tell the one from the others.

    Attributes:
        broken: label of the training that fails.
        finding: the name of the finding that the diagnosis of the broken one must hold, and that of no cure.
        goes: False where a cure helps and the finding stays.
    """

    page = "failure_modes"
    broken: ClassVar[str] = "broken"
    finding: ClassVar[str]
    goes: ClassVar[bool] = True

    def judge(self, ends: Mapping[str, End]) -> Verdict:
        """Checks those of the trainings that are there; the broken one must be.

        Raises:
            KeyError: it is not.
        """
        found = {self.broken: self.measure(ends[self.broken])}
        found |= {label: self.measure(end) for label, end in ends.items() if label != self.broken}
        named = {label: self._finds(end) for label, end in ends.items()}
        holds = {
            label: (self.fails(numbers) and named[label])
            if label == self.broken
            else (self.cured(label, numbers, found[self.broken]) and not (named[label] and self.goes))
            for label, numbers in found.items()
        }
        said = [f"{label}: {self.say(numbers)}" for label, numbers in found.items()]
        return Verdict(all(holds.values()), "; ".join(said) + ".", found)

    def measure(self, end: End) -> dict[str, float]:
        """The numbers of one training that the claim is about."""
        raise NotImplementedError

    def fails(self, numbers: Mapping[str, float]) -> bool:
        """True when the numbers are those of the failure."""
        raise NotImplementedError

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        """True when the numbers of a cure are those that the claim promises; by default when it does not fail."""
        return not self.fails(numbers)

    def say(self, numbers: Mapping[str, float]) -> str:
        """The numbers of one training in a few words."""
        return ", ".join(f"{name} {value:.3g}" for name, value in numbers.items())

    def _finds(self, end: End) -> bool:
        samples = {} if end.diverged else measures(end.state)
        return any(one.name == self.finding for one in diagnose(end.points, end.recipe, samples, end.diverged))


def gradients(end: End) -> tuple[float, float]:
    """The length of G's whole gradient: at the first point of the curves, and the median of their last quarter."""
    norms = readings(end.points, end.recipe).norms("generator")
    return norms[0], early_and_late(norms)[1]
