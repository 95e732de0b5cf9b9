"""`ganplay study`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganplay.studies.store import Study

SWITCHES = "sigmoid,uniform,dropout,flipped,critic-twice,generator-twice"


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    from ganplay.studies.plan import QUICK

    parser.epilog = (
        "Examples:\n"
        "  ganplay study start --switches dropout,flipped --seeds 3        the embedded digits, a few minutes\n"
        "  ganplay study start --base kth-simple --images 200000           document 002's simple model on MNIST\n"
        "  ganplay study start --base toy-ring --switches flipped,rmsprop  on points\n"
        "  ganplay study show digits --markdown                            the study that comes with the program\n\n"
        "Every training of a study is an ordinary run. Ctrl-C saves and stops; `study resume` goes on."
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    start = actions.add_parser("start", help="train a base and one switch at a time, with several seeds")
    start.add_argument("--base", default=QUICK, help="a recipe; %(default)s by default")
    start.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE",
                       help=f"a change of the base; without any, {QUICK} gets small nets")  # fmt: skip
    start.add_argument("--switches", default=SWITCHES, help="names with commas, or `all` that fit; %(default)s")
    start.add_argument("--seeds", type=int, default=3, help="how many; %(default)s")
    start.add_argument("--images", type=int, default=30_000, help="real images that each training sees; %(default)s")
    start.add_argument("--title", default="", help="what lists call it")
    start.add_argument("--threads", type=int, default=1, help="processor threads of each training; %(default)s")
    start.set_defaults(action=_start)
    actions.add_parser("list", help="the studies, and the switches there are").set_defaults(action=_list)
    for name, help_text, action in (
        ("show", "print what a study found", _show),
        ("resume", "go on with a study that was stopped or interrupted", _resume),
        ("stop", "ask a running study to save and end", _stop),
        ("delete", "delete a study that is not running, with its runs", _delete),
    ):
        below = actions.add_parser(name, help=help_text)
        below.add_argument("study", help="a study's id, as `ganplay study list` shows it")
        below.set_defaults(action=action)
        if name == "show":
            below.add_argument("--raw", action="store_true", help="compare single scores, not the smoothed curves")
            below.add_argument("--markdown", action="store_true", help="print the table as Markdown")
            below.add_argument("--json", action="store_true", help="print everything, to keep or to read elsewhere")
        elif name == "resume":
            below.add_argument("--threads", type=int, default=1, help="processor threads of each training")


def execute(options: argparse.Namespace) -> int:
    return options.action(options)


def _start(options: argparse.Namespace) -> int:
    from ganplay.recipes import recipe
    from ganplay.studies import plan, store
    from ganplay.studies.switches import fitting

    changes: dict[str, str] = {}
    for text in options.set:
        path, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"'{text}' is no change; write SETTING=VALUE, such as batch_size=32.")
        changes[path] = value
    if options.base == plan.QUICK and not changes:
        changes = dict(plan.SMALL)
    names = [name.strip() for name in options.switches.split(",") if name.strip()]
    if names == ["all"]:
        names, refused = fitting(recipe(options.base).change(changes))
        for name, reason in refused.items():
            print(f"{name} is left out: {reason}", file=sys.stderr)
    made = plan.plan(options.base, changes, list(names), options.seeds, options.images, options.title)
    study = store.create(made)
    print(f"{study.id}\n{study.folder}")
    return _follow(study, options.threads)


def _follow(study: Study, threads: int) -> int:
    """Trains with a progress bar: 0 when it finished or was stopped, 1 when something is in its way."""
    import tqdm

    from ganplay.runs.folder import Status
    from ganplay.studies.driving import train_here
    from ganplay.studies.plan import Variant

    images = study.plan().images
    done, total = study.progress()
    with tqdm.tqdm(total=total * images, initial=done * images, unit=" images", unit_scale=True) as bar:

        def tick(variant: Variant, seed: int, status: Status) -> None:
            bar.set_description_str(f"{variant.title}, seed {seed}", refresh=False)
            bar.n = study.progress()[0] * images + status.images
            bar.refresh()

        state = train_here(study, tick, threads)
    done, total = study.progress()
    print(f"{state.capitalize()}: {done} of {total} trainings are over. {study.note()}".rstrip())
    print(
        f"See: ganplay study show {study.id}" if state == "finished" else f"Go on with: ganplay study resume {study.id}"
    )
    return 1 if study.note() else 0


def _list(options: argparse.Namespace) -> int:
    from ganplay.studies import store
    from ganplay.studies.outcome import bundled_names
    from ganplay.studies.switches import SWITCHES

    for name in bundled_names():
        print(f"{name:22} comes with the program")
    for study in store.list_studies():
        done, total = study.progress()
        print(f"{study.id:22} {study.state():12} {done:>4} of {total:<4} {study.title}")
    print("\nSwitches:")
    for one in SWITCHES:
        print(f"  {one.name:18} {one.title} ({one.source})")
    return 0


def _show(options: argparse.Namespace) -> int:
    from ganplay.studies.outcome import found
    from ganplay.studies.report import markdown, text

    shown = found(options.study)
    if options.json:
        print(json.dumps(shown.to_json()))
    elif options.markdown:
        print(markdown(shown, smooth=not options.raw))
    else:
        print(text(shown, smooth=not options.raw))
    return 0


def _resume(options: argparse.Namespace) -> int:
    from ganplay.studies import store

    return _follow(store.find(options.study), options.threads)


def _stop(options: argparse.Namespace) -> int:
    from ganplay.studies import store

    study = store.find(options.study)
    if study.state() != "running":
        raise ValueError(f"The study {study.id} is {study.state()}; only a running one can be asked to stop.")
    study.want("stop")
    print(f"{study.id} was asked to stop.")
    return 0


def _delete(options: argparse.Namespace) -> int:
    from ganplay.studies import store

    study = store.find(options.study)
    store.delete(study)
    print(f"{study.id} is deleted.")
    return 0
