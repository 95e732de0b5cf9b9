"""A story that trains for a second, for the tests of the page that shows stories."""

from __future__ import annotations

from ganplay.recipes import recipe
from ganplay.stories import stories
from ganplay.stories.story import Story, Verdict

SMALL = {
    "generator.widths": "8", "discriminator.widths": "8", "batch_size": 32, "stop_images": 960, "log_every": 64,
    "sample_every": 480, "score_every": 0,
}  # fmt: skip
BROKEN, CURE, OTHER = "without anything", "with least squares", "with more steps of D"


class TinyStory(Story):
    """The ring, learnt much too briefly."""

    page = "failure_modes"
    title = "A ring learnt in a second"
    question = "Will a second be enough?"
    answers = ("no, far from it", "yes")
    answer = "no, far from it"
    claim = "After 960 images the loss of G is above 0 in every training."
    source = "made for the tests"
    why = "Thirty updates are few."
    kind = "tiny-ring"

    def recipes(self, seed):
        base = recipe("toy-ring").change(SMALL | {"seed": seed})
        return {
            BROKEN: base,
            CURE: base.change({"loss": "least-squares"}),
            OTHER: base.change({"critic_steps": 2}),
        }

    def judge(self, ends):
        measured = {name: {"loss of G": end.points[-1]["generator_loss"]} for name, end in ends.items()}
        said = ", ".join(f"{name} {values['loss of G']:.3f}" for name, values in measured.items())
        return Verdict(all(values["loss of G"] > 0 for values in measured.values()), f"Losses: {said}.", measured)


def register(monkeypatch) -> None:
    """Makes it the only story that the page knows, until the test ends."""
    monkeypatch.setattr(stories, "_parts", {TinyStory.kind: TinyStory})
    monkeypatch.setattr(stories, "_discovered", True)
