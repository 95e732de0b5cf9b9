"""The model card of a checkpoint: YAML front matter for the Hub, then what a visitor needs to know, in Markdown."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from huggingface_hub import ModelCardData

from ganplay.checkpoint import LoadedGenerator
from ganplay.environment import processor
from ganplay.files import read_json
from ganplay.recipe import Recipe
from ganplay.recipes import recipe, recipes
from ganplay.runs.folder import Run
from ganplay.runs.store import find
from ganplay.scores import limits

DOCUMENTS = {
    "000": '"Analyzing Stability and Properties of Generative Adversarial Networks" (Bandhey, Lopez, Rabinowitz)',
    "001": '"A Foray into GANs" (Yip, Tan)',
    "002": '"Overview of Generative Adversarial Network" (Charmettant, Laures, Sevestre)',
    "003": '"Generative Adversarial Networks" (Kumar)',
    "004": '"Qualitative Assessment of Generative Adversarial Network Architectures for Image Generation" (Dogan)',
}
DIGITS = "Optical Recognition of Handwritten Digits (E. Alpaydin, C. Kaynak; UCI): CC BY 4.0."
LICENCES = {  # of the data, by the kind of the data set
    "digits": DIGITS,
    "few-digits": DIGITS,
    "stacked-digits": DIGITS,
    "mnist": "MNIST (Y. LeCun, C. Cortes, C. Burges): its Hub card says MIT, other distributors CC BY-SA 3.0.",
    "fashion-mnist": "Fashion-MNIST (Zalando Research): MIT.",
    "cifar10": "CIFAR-10 (A. Krizhevsky): no licence is stated; made for research from pictures found on the web.",
}
COLUMNS = ("figure", "generated", "real data", "features", "samples, generated and real", "compared with")


@dataclass(frozen=True)
class Export:
    """What a card is about.

    Attributes:
        model: the stored weights.
        name: of the folder or repository, as `--name` gives it.
        seconds: of training, pauses not counted.
        scores: as `ganplay.scores.measure` gives them, or empty.
        files: names and what they hold.
        command: that wrote the folder.
        width: of the picture of samples, in pixels.
    """

    run: Run
    model: LoadedGenerator
    name: str
    seconds: float
    scores: Mapping[str, Any]
    files: Mapping[str, str]
    command: str
    width: int


def card(about: Export) -> str:
    """The text of `README.md`."""
    made = about.model.recipe
    title = made.title or made.generator.kind
    sections = {
        "": [_summary(made), _picture(about), _table(("", ""), _facts(about))],
        "Draw from it": [_drawing(about)],
        "How good it is": _quality(about.scores),
        "What it cannot do": [_bullets(limits(made, about.scores.get("figures", ())))],
        "Train it again": _training(about),
        "Files": [_bullets(f"`{name}`: {text}" for name, text in about.files.items())],
        "Licence": [_licence(made)],
    }
    body = "\n\n".join(
        part for heading, parts in sections.items() if parts for part in ([f"## {heading}"] if heading else []) + parts
    )
    return f"---\n{_front_matter(made).to_yaml()}\n---\n\n# {title}: `{about.name}`\n\n{body}\n"


def base_of(run: Run, made: Recipe) -> str:
    """The registered recipe that a run started from; the nearest one when it was made by hand."""
    base = run.info["base"]
    return base if base in recipes else min(recipes, key=lambda name: len(made.difference(recipe(name))))


def document_of(run: Run) -> str:
    """What a run's recipe follows: "001" for a document, "arXiv 1802.05957" for a paper, else nothing."""
    base = run.info["base"]
    if base not in recipes:
        return ""
    document = re.match(r"Document (\d{3})\b", inspect.getdoc(inspect.getmodule(recipes[base])) or "")
    paper = re.search(r"arXiv \d{4}\.\d{4,5}", inspect.getdoc(recipes[base]) or "")
    return document[1] if document else paper[0] if paper else ""


def training_command(run: Run, model: LoadedGenerator) -> str:
    """The command line that trains these weights, in the words of `ganplay train`."""
    base, made = base_of(run, model.recipe), model.recipe
    if _ended_early(model) and not made.decay_images:  # which counts from the end
        made = made.change({"stop_images": model.images})
    flags = [f"--{path.replace('_', '-')} {shlex.quote(_text(value))}"
             for path, value in made.difference(recipe(base)).items()]  # fmt: skip
    label = f"--label {shlex.quote(run.label)}"
    return " ".join(["python -m ganplay train --recipe", base, *flags, label, f"--threads {int(run.info['threads'])}"])


def _ended_early(model: LoadedGenerator) -> bool:
    """True when a run was ended by hand, by the clock or by a score."""
    return model.images < model.recipe.stop_images


def _front_matter(made: Recipe) -> ModelCardData:
    """The Hub has one task for generators without a text; a tag says that one is asked for classes."""
    repository = getattr(made.dataset, "repository", None)
    tags = ["gan", made.generator.kind, made.loss.kind, *(["class-conditional"] if made.shapes.classes else [])]
    return ModelCardData(
        library_name="ganplay",
        license="mit",
        pipeline_tag="unconditional-image-generation" if len(made.shapes.sample) == 3 else None,
        datasets=[repository] if repository else None,
        tags=list(dict.fromkeys(tags)),
    )


def _summary(made: Recipe) -> str:
    asked = " and a class" if made.shapes.classes else ""
    return (
        "A generator trained with ganplay, a playground that shows why GANs work and why they break. It turns random "
        f"numbers{asked} into samples like those of {made.dataset.title}."
    )


def _picture(about: Export) -> str:
    width = 2 * about.width if about.width <= 400 else about.width
    return f'<img src="samples.webp" width="{width}" alt="Samples of seed 0, drawn by the stored weights">'


def _facts(about: Export) -> list[tuple[str, str]]:
    made, run, model = about.model.recipe, about.run, about.model
    base, threads = base_of(run, made), int(run.info["threads"])
    document, by_hand = document_of(run), "" if run.info["base"] in recipes else "made by hand, nearest to "
    source = f"document {document}, {DOCUMENTS[document]}" if document in DOCUMENTS else document or "a recipe of ours"
    dataset = made.dataset
    repository, chosen = getattr(dataset, "repository", None), ", ".join(getattr(dataset, "classes", ()) or ())
    data = dataset.title + (f" from the Hub: `{repository}`" if repository else "")
    shape = " x ".join(map(str, made.shapes.sample))
    weights = sum(parameter.numel() for parameter in model.module.parameters())
    told = f", G {made.generator.conditioning}, D {made.discriminator.conditioning}" if made.conditional else ""
    minutes = f" ({about.seconds / 60:,.0f} min)" if about.seconds >= 120 else ""
    version = torch.__version__.split("+")[0]
    day = time.strftime("%d %B %Y", time.gmtime(run.created)).lstrip("0")
    rows = [
        ("Follows", source),
        ("Recipe", f"{by_hand}`{base}`: {(inspect.getdoc(recipes[base]) or '').splitlines()[0]}"),
        ("Data", f"{data}{f', only {chosen}' if chosen else ''}, training split, samples of shape {shape}"),
        ("Generator", f"{made.generator.kind}, {weights:,} weights, fed {made.latent} {made.noise} numbers{told}"),
        ("Objective", ", ".join([made.loss.kind, *(penalty.kind for penalty in made.penalties)])),
        (
            "Training",
            f"{model.images:,} real images seen in {about.seconds:,.0f} s{minutes} of updates, begun on {day}",
        ),
        ("Machine", f"{_machine(run)}, {threads} thread{'s' if threads > 1 else ''}, PyTorch {version}"),
        ("Weights", f"moving average with decay {made.ema_decay}, stored in float16, sampled in float32"),
    ]
    if run.reasons:
        rows.append(("Arithmetic", run.reasons[0]))
    return rows


def _machine(run: Run) -> str:
    """The processor that trained the run, which need not be this one."""
    try:
        return str(read_json(run.folder / "machine.json")["processor"])
    except (KeyError, TypeError, ValueError):
        return processor()


def _drawing(about: Export) -> str:
    shape = ", ".join(["64", *map(str, about.model.recipe.shapes.sample)])
    source = f"hub:{about.name}" if "/" in about.name else about.name
    return f"""```bash
python -m ganplay sample {shlex.quote(source)} --seed 0
```

```python
from ganplay.hub import GanModel
from ganplay.latent.sampling import sample

model = GanModel.from_pretrained({json.dumps(about.name)})
samples = sample(model, seed=0, count=64)  # ({shape})
```

Both take the name of a checkpoint that came with ganplay, the path of this folder, or `hub:OWNER/NAME` on the command
line and `OWNER/NAME` in Python."""


def _quality(scores: Mapping[str, Any]) -> list[str]:
    figures = [figure for figure in scores.get("figures", ()) if not figure["group"]]
    if not figures:
        return []
    notes = dict.fromkeys([*scores["notes"], *(figure["note"] for figure in figures if figure["note"])])
    told = (
        f"Measured with the stored weights, seed {scores['seed']}. Beside each figure stands the same one for as many "
        "real images that it is not compared with. Distances of these features compare with each other, not with any "
        "FID. The figures of single classes are in `metrics.json`."
    )
    return [told, _table(COLUMNS, [_row(figure) for figure in figures]), *([_bullets(notes)] if notes else [])]


def _row(figure: Mapping[str, Any]) -> tuple[str, ...]:
    counts = f"{figure['samples']:,} and {figure['real_samples']:,} of {figure['real_split']}"
    reference = f"{figure['reference_samples']:,} of {figure['reference']}" if figure["reference_samples"] else "-"
    value = _number(figure["value"], figure["spread"])
    return figure["name"], value, _number(figure["real"], figure["real_spread"]), figure["features"], counts, reference


def _number(value: float | None, spread: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if spread is None else f"{value:.4g} ± {spread:.2g}"


def _training(about: Export) -> list[str]:
    commands = f"```bash\n{training_command(about.run, about.model)}\n{about.command}\n```"
    told = "RUN is the id that the first one prints."
    if _ended_early(about.model) and about.model.recipe.decay_images:
        told += f" These weights had seen {about.model.images:,} images: stop it there."
    past = _past(about.run, about.model.recipe)
    if not past:
        return [commands, told]
    told += " The run itself went on from other runs (`python -m ganplay runs fork`), which had these settings instead:"
    return [commands, told, _bullets(past)]


def _past(run: Run, made: Recipe) -> list[str]:
    """A line for each run whose past this one shares, oldest first: how far it had come and what was set otherwise."""
    lines: list[str] = []
    while id := run.info["forked_from"]:
        try:
            parent = find(id)
            before = parent.recipe()
        except ValueError:
            lines.append("at first: a run that can no longer be read")
            break
        changes = [f"`{path}` {_text(value)}" for path, value in before.difference(made).items()]
        status = parent.status()
        seen = f"up to {status.images:,} images" if status.updated <= run.info["created"] else "at first"
        lines.append(f"{seen}: {', '.join(changes) or 'the same'}")
        run = parent
    return lines[::-1]


def _licence(made: Recipe) -> str:
    return f"Weights and code: MIT. The data: {LICENCES.get(made.dataset.kind, 'see where it came from.')}"


def _bullets(lines: Any) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in lines)


def _text(value: Any) -> str:
    """A setting as the command line takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(_text, value)) if isinstance(value, (tuple, list)) else str(value)
