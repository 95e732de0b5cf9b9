"""What the figures of the page "Evaluate" measure, what they cannot say, and their code."""

from __future__ import annotations

import streamlit as st

from ganplay.ui import teaching

IDEA = """
Nobody can look at ten thousand pictures, so a figure does it: it describes each sample by **features** and compares the
generated samples with real ones. It means something only together with its features, its number of samples and the real
data it was compared with, and only beside the **same figure for real data** that took the generator's place.
"""
MEASURES = (  # (tab, formula, what it measures, what escapes it)
    (
        "Fréchet distance",
        r"d^2 = \lVert\mu_g-\mu_r\rVert^2 + \operatorname{tr}\!\left(\Sigma_g+\Sigma_r"
        r"-2(\Sigma_g\Sigma_r)^{1/2}\right)",
        "How far apart the clouds of features lie, each taken for a Gaussian: quality and variety in one number. It is "
        "called FID only with the features of the 2015 Inception network.",
        "Few samples make it too large; a copy of the training data makes it 0.",
    ),
    (
        "Classifier score",
        r"\exp\,\mathbb{E}_x\, D_{KL}\!\left(p(y|x)\,\Vert\,p(y)\right)",
        "How sure a classifier is of each sample and how evenly its answers are spread over the classes, from 1 to the "
        "number of classes. It is the Inception score (IS) with that network.",
        "It never sees real data: one perfect sample of each class, repeated, scores best.",
    ),
    (
        "Kernel distance",
        r"\overline{k(g,g')} + \overline{k(r,r')} - 2\,\overline{k(g,r)}, \quad "
        r"k(a,b)=\left(\tfrac{a\cdot b}{F}+1\right)^3",
        "The same question without the Gaussians, and fair with few samples: for equal distributions its mean is 0 "
        "(KID with Inception).",
        "It mixes quality and variety as the Fréchet distance does.",
    ),
    (
        "Precision, recall",
        r"P=\tfrac{1}{|G|}\sum_{g}1[g\in S_r], \quad R=\tfrac{1}{|R|}\sum_{r}1[r\in S_g]",
        "Precision: the share of generated samples inside the region $S_r$ of real ones (quality). Recall: the share "
        "of real samples inside the region $S_g$ of generated ones (variety). A region is made of balls that reach to "
        "the third nearest neighbour.",
        "Scattered samples have wide balls: noise can have a high recall.",
    ),
    (
        "MS-SSIM",
        r"\ell_M^{\,w_M}\prod_{j=1}^{M}(c\,s)_j^{\,w_j}",
        "How alike random pairs within a class are: luminance, contrast and structure at several scales. Above the "
        "value of real data, the class has collapsed.",
        "Only variety: noise has a low value too.",
    ),
    (
        "Neighbours",
        r"\min_t \lVert x - t\rVert_2",
        "How near a sample comes to the nearest training sample. Far nearer than real samples of the other split: "
        "learnt by heart.",
        "Pixels do not see that a shifted copy is a copy.",
    ),
)
WHY = """
- **Real data is the yardstick.** A distance of 4 says nothing. As many real samples of the other split, measured the
  same way, show what a perfect generator would reach; a distance far below theirs means copying.
- **The number of samples is part of the figure.** A Fréchet distance falls by itself as samples are added (arXiv
  1801.01401). So as many samples are generated as there are real ones beside them, and the mean over classes lies above
  the distance of all together: each class has fewer.
- **Features decide what counts.** Pixels see place, brightness and stroke width. A classifier sees what tells its
  classes apart and little else. Figures of different features cannot be compared, whatever they are called.
- **One number cannot tell blur from collapse.** Precision and recall split the question (arXiv 1904.06991): a truncated
  generator gains precision and loses recall. A recall above that of real data comes from scattered samples whose balls
  reach far, not from more variety than reality has.
- **Copying is the perfect score.** Every distance to the training split is best for a generator that has learnt it by
  heart. Only the neighbours show it.
- **± is what it says in the row**: bootstrap resamples, random subsets, parts, or classes. None of them is the spread
  over training runs, which is often larger: train several seeds before you call a difference real.
"""


def idea() -> None:
    """What each figure measures, with its formula."""
    st.markdown(IDEA)
    for (_, formula, measures, escapes), tab in zip(MEASURES, st.tabs([one[0] for one in MEASURES]), strict=True):
        with tab:
            st.latex(teaching.in_lines(formula))
            st.markdown(f"{measures} *Blind spot:* {escapes}")


def why() -> None:
    """What the figures can and cannot say."""
    st.markdown(WHY)


def code() -> None:
    """The functions behind the figures."""
    from ganplay.metrics import classifier_score, frechet, kernel, neighbours, precision_recall, similarity

    teaching.source(
        frechet.frechet_distance, kernel.kernel_distance, classifier_score.classifier_score,
        precision_recall.precision_recall, similarity.ms_ssim, neighbours.nearest_samples,
    )  # fmt: skip
