"""`ganplay runs`."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.epilog = "Without an action: all runs, newest first."
    parser.set_defaults(action=_list)
    actions = parser.add_subparsers(metavar="ACTION")
    for name, help_text, action in (
        ("pause", "ask a running run to save and wait", _request),
        ("stop", "ask a running run to save and end", _request),
        ("delete", "delete a run that is not running, with all its files", _delete),
    ):
        below = actions.add_parser(name, help=help_text)
        below.add_argument("run", help="a run's id")
        below.set_defaults(action=action, request=name)
    rename = actions.add_parser("rename", help="give a run another name")
    rename.add_argument("run", help="a run's id")
    rename.add_argument("name")
    rename.set_defaults(action=_rename)
    fork = actions.add_parser("fork", help="start a new run from this one's last checkpoint with changed settings")
    fork.add_argument("run", help="a run's id")
    fork.add_argument(
        "changes", nargs="*", metavar="SETTING=VALUE", help="such as generator_optimiser.learning_rate=1e-4"
    )
    fork.set_defaults(action=_fork)


def execute(options: argparse.Namespace) -> int:
    return options.action(options)


def _list(options: argparse.Namespace) -> int:
    from ganplay.runs import store

    for run in store.list_runs():
        status = run.status()
        print(f"{run.id:46} {status.state:12} {status.images:>12,} images  {run.size() / 1e6:8.1f} MB  {run.label}")
    print(f"{store.used_bytes() / 1e9:.2f} of {store.quota_bytes() / 1e9:.1f} GB used")
    return 0


def _request(options: argparse.Namespace) -> int:
    from ganplay.runs import store

    run = store.find(options.run)
    if not run.status().live:
        raise ValueError(f"{run.id} is {run.status().state}; only a running run can be asked to {options.request}.")
    run.ask(options.request)
    print(f"{run.id} was asked to {options.request}.")
    return 0


def _delete(options: argparse.Namespace) -> int:
    from ganplay.runs import store

    store.delete(store.find(options.run))
    print(f"{options.run} is deleted.")
    return 0


def _rename(options: argparse.Namespace) -> int:
    from ganplay.runs import store

    store.rename(store.find(options.run), options.name)
    print(f"{options.run} is now called {options.name}.")
    return 0


def _fork(options: argparse.Namespace) -> int:
    from ganplay.runs import store

    pairs = [change.partition("=") for change in options.changes]
    for path, equals, _ in pairs:
        if not equals:
            raise ValueError(f"'{path}' is no change; write SETTING=VALUE, such as batch_size=32.")
    run = store.fork(store.find(options.run), {path: value for path, _, value in pairs}, queued=False)
    print(f"{run.id} is ready: ganplay resume {run.id}")
    return 0
