"""A generator is frozen and a new discriminator learns: the saturating gradient dies, the other does not."""

from __future__ import annotations

from ganplay.checkpoint import load_generator
from ganplay.paths import bundled_checkpoints
from ganplay.scenarios.frozen import measure
from ganplay.stories import stories
from ganplay.stories.story import Story, Verdict

SOURCE = "dcgan-digits-epoch-10"
ITERATIONS = 300
FALLEN, KEPT = 0.1, 1.0


@stories.register("vanishing-saturation")
class VanishingSaturation(Story):
    """Arjovsky and Bottou's figures 2 and 3, short enough for a lesson."""

    page = "vanishing_gradients"
    title = "A frozen generator and a discriminator that gets better"
    question = (
        "A generator is kept as it is, and a new discriminator learns to tell its digits from real ones. Which "
        "gradient would still reach the generator at the end?"
    )
    answers = ("that of log(1 - D)", "that of -log D", "both", "neither")
    answer = answers[1]
    claim = (
        f"Over {ITERATIONS} iterations of a new discriminator the gradient of log(1 - D) falls below {FALLEN:g} of "
        f"what an untrained D gives, and that of -log D stays above {KEPT:g} times that (median of the last tenth)."
    )
    source = "arXiv 1701.04862, section 2, figures 2 and 3"
    why = "The section “Frozen generator” of the page explains it."

    def unavailable(self) -> str:
        if (bundled_checkpoints() / SOURCE).is_dir():
            return ""
        return f"The bundled checkpoint {SOURCE}, whose generator it freezes, is missing."

    def verify(self, seed: int) -> Verdict:
        generator = load_generator(bundled_checkpoints() / SOURCE)
        taken = measure(generator.recipe, generator.module, ITERATIONS, seed=seed)
        changes = {loss: taken.change(loss) for loss in taken.norms}
        holds = changes["minimax"] < FALLEN and changes["non-saturating"] > KEPT
        said = " and ".join(f"that of the {loss} loss changed by × {change:.2g}" for loss, change in changes.items())
        evidence = f"Of the gradients into the frozen generator, {said} over {ITERATIONS} iterations of D."
        return Verdict(holds, evidence, {"frozen": changes})
