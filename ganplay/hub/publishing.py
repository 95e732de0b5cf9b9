"""Puts a model folder on the Hub: made of a run, or one that is there already. The token comes from the environment."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ganplay import paths
from ganplay.hub.downloading import environment_token
from ganplay.hub.errors import sentence
from ganplay.hub.reference import Reference
from ganplay.layout import CONFIG, DISCRIMINATOR, FILES
from ganplay.runs import store
from ganplay.sources import CHECKPOINT, FOLDER, RUN

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MESSAGE = "A generator by ganplay"


def stage(source: str, folder: Path, name: str) -> list[tuple[str, int]]:
    """Writes what is to be published into `folder` and returns its files with their sizes in bytes.

    Args:
        source: a run's id, whose newest checkpoint is exported; else a bundled checkpoint or the path of a model
            folder, which is copied as it is, without files that do not belong to it.
        folder: a new one, or an empty one.
        name: what the card of a run calls it.

    Raises:
        ValueError: there is no such source, it cannot be loaded, or the folder is not empty.
    """
    from ganplay.checkpoint import load_discriminator, load_generator

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists and is not empty; choose a new folder.")
    id = source.removeprefix(RUN)
    if store.is_id(id):
        from ganplay.export import export_run

        export_run(store.find(id), folder, name=name)
    else:
        origin = _model_folder(source)
        load_generator(origin)
        if (origin / DISCRIMINATOR).is_file():
            load_discriminator(origin)
        copy_files(origin, folder)
    return [(file, (folder / file).stat().st_size) for file in FILES if (folder / file).is_file()]


def copy_files(origin: Path, folder: Path) -> None:
    """Copies the files of a model folder, and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        if (origin / file).is_file():
            shutil.copyfile(origin / file, folder / file)


def publish(folder: Path, repository: str, private: bool = False) -> str:
    """Uploads the files of a model folder in one commit and returns its address.

    Args:
        repository: owner/name; it is created where there is none.
        private: only its owner is to see it; a repository that is public already is then refused.

    Raises:
        ValueError: there is no token, or the Hub refuses.
    """
    from huggingface_hub import CommitOperationAdd

    files = [CommitOperationAdd(file, folder / file) for file in FILES if (folder / file).is_file()]
    with writing(Reference(repository)) as api:
        create(api, repository, True if private else None)
        return str(api.create_commit(repository, files, commit_message=MESSAGE).commit_url)


@contextmanager
def writing(reference: Reference) -> Iterator[HfApi]:
    """The Hub's client with the token of the environment; what goes wrong in the block becomes one sentence.

    Raises:
        ValueError: there is no token, or the Hub refuses.
    """
    from huggingface_hub import HfApi

    token = environment_token()
    if not token:
        raise ValueError(
            f"Publishing needs a token of the Hub that may write {reference.repository}: set HF_TOKEN. Nothing was "
            "uploaded."
        )
    try:
        yield HfApi(token=token)
    except Exception as error:  # anything a network, a disk or the Hub's client may come up with
        raise sentence(error, reference, "write") from None


def create(api: HfApi, repository: str, private: bool | None) -> None:
    """Makes sure that the repository is there, and private where it is asked to be.

    Raises:
        ValueError: it is to be private, but is there and public.
    """
    api.create_repo(repository, private=private, exist_ok=True)
    if private and not api.model_info(repository, expand=["private"]).private:
        raise ValueError(
            f"{repository} is there already and public; make it private on its page, or leave --private out. "
            "Nothing was uploaded."
        )


def _model_folder(source: str) -> Path:
    """The folder behind a bundled checkpoint's name, a key of a folder, or a path."""
    name = source.removeprefix(CHECKPOINT)
    roots = [paths.bundled_checkpoints()] if name == Path(name).name else []
    if source.startswith(FOLDER):
        name, roots = source.removeprefix(FOLDER), [paths.models_folder()]
    for folder in [*(root / name for root in roots), Path(source)]:
        if (folder / CONFIG).is_file():
            return folder
    raise ValueError(f"There is no run, no bundled checkpoint and no model folder {source[:200]!r} to publish.")
