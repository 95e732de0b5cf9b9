"""The repository of a Hugging Face Space: this code, the checkpoints, and a README whose front matter says how to run.

The front matter is made here and not kept in the project's own README, where other readers would see a table of it.
Its fields are those of "Spaces Configuration Reference" in the Hub's documentation.
"""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ganplay import hosting

ROOT = Path(__file__).resolve().parent.parent
CONTENT = (".streamlit", "LICENSE", "app.py", "checkpoints", "docs", "ganplay", "pages", "requirements.txt")
FILES = {"docker": ("Dockerfile", ".dockerignore"), "gradio": ()}  # sdk -> what it needs besides
SDKS = tuple(FILES)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*.tmp", ".DS_Store")
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"  # PyTorch without its CUDA parts, as pytorch.org documents


def front_matter(sdk: str = "docker") -> str:
    """The YAML block at the top of a Space's README.

    Args:
        sdk: "docker", or "gradio", where the Hub installs the requirements and runs `python app.py` itself.

    Raises:
        ValueError: the SDK is another.
    """
    from huggingface_hub import SpaceCardData

    _check(sdk)
    own: dict[str, Any] = {"app_port": hosting.PORT}
    if sdk == "gradio":
        own = {"sdk_version": version("gradio"), "python_version": "3.11", "app_file": "app.py"}
    card = SpaceCardData(
        title="ganplay", sdk=sdk, license="mit", emoji="🎭", colorFrom="blue", colorTo="yellow", pinned=False,
        short_description="See how GANs work and why they break", suggested_hardware="cpu-basic",
        startup_duration_timeout="1h", tags=["gan", "teaching"],
        datasets=["ylecun/mnist", "zalando-datasets/fashion_mnist", "uoft-cs/cifar10"], **own,
    )  # fmt: skip
    return f"---\n{card.to_yaml()}\n---\n"


def write_space(folder: Path, sdk: str = "docker") -> Path:
    """Writes the Space's repository into a new or empty folder, which is all that `push_space` would upload.

    Raises:
        ValueError: the folder holds something, the SDK is unknown, or the package was installed without its repository.
    """
    head = front_matter(sdk)
    missing = [name for name in (*CONTENT, *FILES[sdk], "README.md") if not (ROOT / name).exists()]
    if missing:
        raise ValueError(f"'{ROOT}' has no {', '.join(missing)}; a Space is made from a clone of the repository.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"'{folder}' is not empty; name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*CONTENT, *FILES[sdk]):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(ROOT / name, folder / name)
    (folder / "README.md").write_text(head + "\n" + (ROOT / "README.md").read_text("utf-8"), "utf-8")
    if sdk == "gradio":  # pip takes the higher version, and 2.14.1+cpu is higher than 2.14.1
        required = (folder / "requirements.txt").read_text("utf-8")
        (folder / "requirements.txt").write_text(f"--extra-index-url {CPU_WHEELS}\n{required}", "utf-8")
    return folder


def push_space(repository: str, sdk: str = "docker", private: bool = False) -> str:
    """Makes the Space if there is none and uploads the repository; what an earlier one left in its folders goes.

    Returns:
        the Space's address.

    Raises:
        ValueError: the name is none of a repository, there is no token in the environment, a public Space is to be
            private, or the Hub refuses or cannot be reached.
    """
    from ganplay.hub.publishing import writing
    from ganplay.hub.reference import Reference

    reference = Reference(repository)
    with tempfile.TemporaryDirectory() as folder, writing(reference) as api:
        written = write_space(Path(folder) / "space", sdk)
        made = api.create_repo(repository, repo_type="space", space_sdk=sdk, private=private or None, exist_ok=True)
        if private and not api.repo_info(repository, repo_type="space").private:
            raise ValueError(f"The Space {repository} is there already and public; nothing was uploaded.")
        api.upload_folder(
            repo_id=repository, repo_type="space", folder_path=written, commit_message="ganplay as a Space",
            delete_patterns=[f"{name}/*" for name in CONTENT if (ROOT / name).is_dir()],
        )  # fmt: skip
    return str(made)


def _check(sdk: str) -> None:
    if sdk not in FILES:
        raise ValueError(f"The SDK is {sdk!r}; it must be one of {', '.join(SDKS)}.")
