"""The Dockerfile without Docker: its steps in a root folder of their own, as root where it says so and as its user.

Needs Linux and root, for namespaces; the system and Python are those of this machine, mounted read-only. What needs
the network (`pip install`) is not done: the packages installed here take its place.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc")


class Step(NamedTuple):
    """One instruction of a Dockerfile."""

    word: str
    rest: str


def steps(path: Path = ROOT / "Dockerfile") -> list[Step]:
    """The instructions, with continued lines joined and comments left out."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Step(*line.split(" ", 1)) for line in joined.splitlines() if line.strip()]


def environment(found: list[Step]) -> dict[str, str]:
    """What ENV sets."""
    return dict(pair.split("=", 1) for step in found if step.word == "ENV" for pair in shlex.split(step.rest))


def command(found: list[Step]) -> list[str]:
    """What CMD starts."""
    return json.loads([step.rest for step in found if step.word == "CMD"][-1])


def health_command(found: list[Step]) -> str:
    """What HEALTHCHECK asks the shell to run."""
    return next(step.rest for step in found if step.word == "HEALTHCHECK").split("CMD ", 1)[1]


def ignored(name: str, rules: Path = ROOT / ".dockerignore") -> bool:
    """Whether a path, relative to the repository, stays out of the image: the last rule that fits decides."""
    out = False
    for rule in rules.read_text("utf-8").splitlines():
        if rule and not rule.startswith("#"):
            pattern = rule.removeprefix("!")
            parts = [name, *map(str, Path(name).parents)][:-1] or [name]
            fits = any(fnmatch.fnmatch(part, pattern) for part in parts)
            if pattern.startswith("**/"):
                fits = any(fnmatch.fnmatch(part, pattern[3:]) for part in Path(name).parts)
            out = not rule.startswith("!") if fits else out
    return out


def context() -> list[str]:
    """The files that `COPY . ./` copies."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return [name for name in names if (ROOT / name).is_file() and not ignored(name)]


class Image:
    """A root folder as the Dockerfile makes it.

    Args:
        folder: where; empty.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.steps = folder, steps()
        self.environment = environment(self.steps) | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        self.user = int(next(step.rest for step in self.steps if step.word == "USER"))
        self.work = next(step.rest for step in self.steps if step.word == "WORKDIR")
        self.read_only = [*SYSTEM, sys.prefix, sys.base_prefix]

    def build(self) -> None:
        """COPY, and the RUN steps that need no network."""
        for name in ("data", "home/user", "tmp", "proc", "dev"):  # what useradd and mkdir make
            (self.folder / name).mkdir(parents=True)
        (self.folder / "tmp").chmod(0o1777)
        for name in ("data", "home/user"):
            os.chown(self.folder / name, self.user, self.user)
        work = self.folder / self.work[1:]
        for name in context():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, work / name)
        for path in self.folder.rglob("*"):  # what a build would leave, whatever the mask of this process is
            if path.is_relative_to(work):
                path.chmod(0o755 if path.is_dir() else 0o644)

    def start(self, words: list[str], **changes: str) -> subprocess.Popen:
        """Runs a command inside, as the image's user, with the image's environment and these changes."""
        script = ["set -e", 'cd "$0"', "mount --make-rprivate /"]
        for path in self.read_only:
            script += [f"if [ -e {path} ]; then mkdir -p .{path}; mount --bind {path} .{path};"
                       f" mount -o remount,bind,ro .{path}; fi"]  # fmt: skip
        script += ["mount --rbind /dev ./dev", "mount -t proc proc ./proc"]
        script += [f'exec {shutil.which("chroot")} --userspec={self.user}:{self.user} --groups={self.user} . '
                   f'/bin/sh -c \'cd {self.work} && exec "$@"\' sh "$@"']  # fmt: skip
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        return subprocess.Popen(
            [*unshare, "sh", "-c", "\n".join(script), str(self.folder), *words],
            env=self.environment | changes, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, words: list[str], **changes: str) -> tuple[int, str]:
        """Waits for a command inside; its exit code and what it printed."""
        process = self.start(words, **changes)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output


def stop(process: subprocess.Popen) -> str:
    """Asks the first process inside to end, as a container's host would; what it printed."""
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGTERM)  # `unshare` itself would not pass it on
    try:
        return process.communicate(timeout=120)[0]
    finally:
        process.kill()


def possible() -> bool:
    """True where a process may make namespaces of its own and change its root."""
    if sys.platform != "linux" or os.geteuid() or not shutil.which("unshare") or not shutil.which("chroot"):
        return False
    return subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode == 0
