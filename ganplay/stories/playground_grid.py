"""Twenty-five Gaussians on a grid: many modes make a collapse, and a cure that helps and does not finish."""

from __future__ import annotations

from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.playground import VANILLA, CoverageStory, ring


@stories.register("playground-grid")
class TwentyFive(CoverageStory):
    """The nets and rates of the ring, on the grid, with and without packs of two."""

    most, least = 10, 12

    title = "Twenty-five modes"
    question = "The data are 25 small clouds on a grid. How many does each GAN find, the plain one and PacGAN?"
    answers = ("both all 25", "the plain one hardly any, PacGAN more than half", "the plain one more than PacGAN")
    answer = answers[1]
    claim = (
        f"On the grid of 25 the vanilla GAN covers at most {most} modes and the one that judges packs of two at least "
        f"{least}, after 2,000 rounds."
    )
    source = "arXiv 1705.07761, table 1; 1712.04086, table 1"
    why = """
The grid is the harder set: its clouds lie two apart and are 0.05 wide. A vanilla GAN stops wherever D is high and
leaves the rest; a pack of two shows D how alike the samples are, and G has to spread. Count the **good** samples too:
most of ours lie between the clouds, for nets this small have no room for 25 sharp edges after 2,000 rounds.

Papers, with larger nets and longer training, count for a vanilla GAN 3.3 (arXiv 1705.07761) or 17.3
(arXiv 1712.04086) of the 25, for an unrolled one 23.6, for VEEGAN 24.6 and for PacGAN with packs of two 23.8.
"""
    changes = {VANILLA: {}, "Packs of two": {"discriminator.pack": 2}}

    def base(self) -> Recipe:
        return ring(2_000).change({"dataset": "grid"})
