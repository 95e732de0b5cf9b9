"""What a story is: trainings from one seed, and a claim about how they end that the program checks itself.

The pages run a story as ordinary trainings and let `judge` speak about those on the screen; `python -m ganplay verify`
runs it for many seeds and counts how often the claim holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ganplay import checkpoint
from ganplay.data.local import check_local
from ganplay.recipe import Recipe
from ganplay.runs.folder import Run
from ganplay.state import State
from ganplay.stories.training import train_to_end

PAGES = ("playground", "failure_modes", "vanishing_gradients")


@dataclass(frozen=True, eq=False)
class End:
    """What is left of one training.

    Attributes:
        points: its curves, oldest first, as lines of a run's `metrics.jsonl`.
        state: networks, average, optimisers and counters at the end.
        diverged: True when a loss stopped being a finite number, which ended the curves and the training.
    """

    recipe: Recipe
    points: Sequence[Mapping[str, Any]]
    state: State
    diverged: bool = False

    @classmethod
    def trained(cls, recipe: Recipe, points: Sequence[Mapping[str, Any]], state: State) -> End:
        """What `train_to_end` left."""
        return cls(recipe, points, state, diverged=not points or points[-1]["images"] < state.images)

    @classmethod
    def of(cls, run: Run) -> End:
        """What a run has left in its folder. One that diverged before its first checkpoint ends where it began.

        Raises:
            ValueError: nothing has been saved yet, or it cannot be read.
        """
        recipe, status = run.recipe(), run.status()
        diverged = status.state == "failed"
        damage = f"The run '{run.label}' has saved nothing yet; it is {status.state}."
        for path in run.checkpoints():
            try:
                return cls(recipe, run.metrics(), checkpoint.load(path), diverged)
            except ValueError as error:  # the one before it may be whole
                damage = str(error)
        if not diverged:
            raise ValueError(damage)
        return cls(recipe, run.metrics(), State.initial(recipe), diverged)


@dataclass(frozen=True)
class Verdict:
    """Whether a claim holds, with the evidence.

    Attributes:
        evidence: one or two sentences with the numbers of just these trainings.
        measured: by training, then by name of a quantity; for tables.
    """

    holds: bool
    evidence: str
    measured: Mapping[str, Mapping[str, float]]


class Story:
    """Base of every story; the class attributes are what a page says around it.

    Attributes:
        page: the page it belongs to, one of PAGES.
        question, answers, answer: what is asked before anything is shown, and which answer the claim stands for.
        claim: what `judge` checks, in one sentence with its thresholds.
        source: where the phenomenon is described (arXiv id, section; document number).
        why: the explanation, Markdown.
        changes: by label, the changes of the base recipe; what breaks first, then the cures.
    """

    kind: ClassVar[str]
    page: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    answers: ClassVar[tuple[str, ...]]
    answer: ClassVar[str]
    claim: ClassVar[str]
    source: ClassVar[str]
    why: ClassVar[str]
    changes: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def base(self) -> Recipe:
        """The recipe that every training of the story changes."""
        raise NotImplementedError

    def recipes(self, seed: int) -> dict[str, Recipe]:
        """By label, what is trained: first what breaks, then the cures. Empty where nothing is trained."""
        return {
            label: self.base().change({**changes, "seed": seed, "title": f"{self.title}: {label}"})
            for label, changes in self.changes.items()
        }

    def unavailable(self) -> str:
        """Why the story cannot be told on this computer, for want of data; one sentence, empty where it can."""
        try:
            for recipe in self.recipes(0).values():
                check_local(recipe.dataset, recipe.shapes.sample, "train")
        except ValueError as obstacle:
            return str(obstacle)
        return ""

    def judge(self, ends: Mapping[str, End]) -> Verdict:
        """Checks the claim on finished trainings, those of `recipes` or those of a reader who changed them."""
        raise NotImplementedError

    def verify(self, seed: int) -> Verdict:
        """Trains everything here and now, and judges it. A story that trains nothing computes its verdict instead."""
        return self.judge(
            {name: End.trained(recipe, *train_to_end(recipe)) for name, recipe in self.recipes(seed).items()}
        )
