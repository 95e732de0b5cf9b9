"""Between two Gaussians far apart a trained discriminator gives the saturating loss nothing; a critic pulls."""

from __future__ import annotations

from ganplay.scenarios.optimal import train
from ganplay.stories import stories
from ganplay.stories.story import Story, Verdict

NEAR, FAR = 1.0, 8.0
FALLEN, STEADY = 1e-3, (0.2, 5.0)


@stories.register("vanishing-line")
class VanishingLine(Story):
    """Document 004, figure 1, and arXiv 1701.07875, figure 2, with trained networks."""

    page = "vanishing_gradients"
    title = "Two Gaussians, dragged apart"
    question = "Two Gaussians go from 1 to 8 standard deviations apart. Whose pull on the generator survives?"
    answers = (
        "that of the saturating loss under a trained discriminator",
        "that of a trained critic",
        "none",
    )
    answer = answers[1]
    claim = (
        f"From a distance of {NEAR:g} to {FAR:g} the saturating pull under the trained discriminator falls below "
        f"{FALLEN:g} of what it was, while those of both trained critics stay within {STEADY[0]:g} to {STEADY[1]:g} of "
        "it, and the non-saturating one grows."
    )
    source = "arXiv 1701.07875, figure 2; arXiv 1701.04862, theorems 2.4 and 2.6; document 004, figure 1"
    why = "The section “Two Gaussians” of the page derives it."

    def verify(self, seed: int) -> Verdict:
        pulls: dict[str, list[float]] = {}
        for judge in ("discriminator", "clip", "penalty"):
            for line in train(judge, (NEAR, FAR), seed):
                for loss, pull in line.pulls.items():
                    pulls.setdefault(f"{judge}, {loss}", []).append(pull)
        factors = {name: far / near if near else 0.0 for name, (near, far) in pulls.items()}
        critics = [factor for name, factor in factors.items() if name.endswith("wasserstein")]
        holds = (
            factors["discriminator, minimax"] < FALLEN
            and factors["discriminator, non-saturating"] > 1
            and all(STEADY[0] <= factor <= STEADY[1] for factor in critics)
        )
        said = ", ".join(f"× {factor:.2g} ({name})" for name, factor in factors.items())
        evidence = f"From a distance of {NEAR:g} to {FAR:g} the mean pull on the fakes changed: {said}."
        return Verdict(holds, evidence, {name: {"far / near": factor} for name, factor in factors.items()})
