"""The Dockerfile and the Space: what they name exists, they run without root, and nothing is kept where it is lost."""

from __future__ import annotations

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import image
import pytest
import yaml
from browser import chromium, free_port, page

from ganplay import hosting, space
from ganplay.cli import main
from ganplay.ui import server

OURS = ("SPACE_ID", "SPACE_HOST", "GANPLAY_HOSTED", "PORT", *hosting.LIMITS)


@pytest.fixture
def elsewhere(monkeypatch):
    """An environment in which nothing is said about where the app runs; ours are restored after the test."""
    for variable in (*OURS, "GANPLAY_HOME"):
        monkeypatch.setenv(variable, "")  # remembered, and put back at the end
        monkeypatch.delenv(variable)
    return monkeypatch


# The Dockerfile


def words(word: str) -> list[str]:
    return [step.rest for step in image.steps() if step.word == word]


def test_everything_that_is_copied_exists_and_is_not_left_out() -> None:
    sources = [source for rest in words("COPY") for source in rest.split()[:-1]]
    assert sources
    for source in sources:
        assert (image.ROOT / source).exists()
    copied = image.context()
    for name in ("app.py", "requirements.txt", ".streamlit/config.toml", "ganplay/data/digits.npz", "pages/home.py"):
        assert name in copied
    assert any(name.startswith("checkpoints/") and name.endswith(".safetensors") for name in copied)
    assert not [name for name in copied if name.startswith(("tests/", ".git/")) or name.endswith(".pyc")]


def test_nothing_runs_as_root_at_the_end() -> None:
    assert words("USER") == ["1000"]
    after = [step.word for step in image.steps()][[step.word for step in image.steps()].index("USER") :]
    assert not {"RUN", "COPY", "ADD"} & set(after)


def test_every_variable_that_is_set_is_read_by_the_code_or_by_python() -> None:
    code = "\n".join(path.read_text("utf-8") for path in (image.ROOT / "ganplay").rglob("*.py"))
    for variable in image.environment(image.steps()):
        assert variable in ("HOME", "PYTHONUNBUFFERED") or f'"{variable}"' in code


def test_the_port_is_the_same_in_the_image_the_code_and_the_front_matter() -> None:
    port = image.environment(image.steps())["PORT"]
    assert words("EXPOSE") == [port] == [str(hosting.PORT)]
    assert yaml.safe_load(space.front_matter("docker").strip("-\n"))["app_port"] == hosting.PORT


def test_pytorch_comes_without_cuda_and_in_the_range_that_is_required() -> None:
    (pattern,) = re.findall(r'grep -E "([^"]+)"', " ".join(words("RUN")))
    chosen = subprocess.run(
        ["grep", "-E", pattern, "requirements.txt"], cwd=image.ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    assert sorted(line.split(">")[0] for line in chosen) == ["torch", "torchvision"]
    assert space.CPU_WHEELS in " ".join(words("RUN"))


@pytest.fixture
def made(tmp_path) -> image.Image:
    """The image in a folder of its own."""
    if not image.possible():
        pytest.skip("needs Linux, root and namespaces to change the root folder")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # pytest's folders are private to root
    (tmp_path / "root").mkdir()
    made = image.Image(tmp_path / "root")
    made.build()
    return made


def files(made: image.Image) -> set[Path]:
    return {path.relative_to(made.folder) for path in made.folder.rglob("*") if path.is_file()}


def test_the_app_runs_as_its_user_on_code_it_cannot_change_and_writes_only_where_state_belongs(made) -> None:
    code, said = made.run(["sh", "-c", "id -u; touch app.py ganplay/new pages/new || echo refused"])
    assert code == 0 and said.startswith("1000\n") and said.endswith("refused\n")
    before = files(made)
    port = str(free_port())
    app = made.start(image.command(made.steps), PORT=port)
    try:
        assert healthy(port, app)
        assert made.run(["sh", "-c", image.health_command(made.steps)], PORT=port)[0] == 0
    finally:
        said = image.stop(app)
    assert app.returncode == 0, said
    assert Path("data/ganplay/.writable") in files(made)
    assert_only_state(made, files(made) - before)


@pytest.mark.slow
def test_a_run_trains_as_its_user_and_writes_only_where_state_belongs(made) -> None:
    before = files(made)
    code, said = made.run(["python", "-c", TRAIN], GANPLAY_HOME="/data/ganplay", OMP_NUM_THREADS="1")
    assert code == 0, said
    written = files(made) - before
    assert any(path.match("data/ganplay/runs/*/status.json") for path in written)
    assert_only_state(made, written)


def assert_only_state(made: image.Image, written: set[Path]) -> None:
    assert not [path for path in written if path.parts[0] != "data" and path.parts[:2] != ("home", "user")]
    assert not [path for path in written if path.parts[:3] == ("home", "user", "app")]
    assert {(made.folder / path).stat().st_uid for path in written} == {made.user}


TRAIN = """
import time
from ganplay.recipes import recipe
from ganplay.runs.manager import Manager
manager = Manager()
manager.start()
run = manager.submit(recipe("quick-digits").change({"stop_images": 640, "sample_every": 320}), "Inside", "quick-digits")
while run.status().state in ("queued", "starting", "running"):
    time.sleep(0.2)
manager.close()
assert run.status().state == "finished", run.status()
"""


def healthy(port: str, process: subprocess.Popen) -> bool:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            time.sleep(0.2)
    return False


# What a hosted server sets


def test_nothing_is_set_on_anybodys_own_computer(elsewhere) -> None:
    hosting.prepare()
    assert not [variable for variable in OURS if variable in os.environ] and "GANPLAY_HOME" not in os.environ
    assert hosting.server_settings() == {}
    assert hosting.default_port() == "8501"


def test_a_space_gets_the_limits_of_a_class_which_its_settings_may_change(elsewhere, tmp_path) -> None:
    elsewhere.setenv("SPACE_ID", "owner/name")
    elsewhere.setenv("HOME", str(tmp_path))
    elsewhere.setenv("GANPLAY_QUEUE", "7")
    hosting.prepare(volume=tmp_path / "none")
    assert os.environ["GANPLAY_QUEUE"] == "7"
    assert os.environ["GANPLAY_RUN_MINUTES"] == hosting.LIMITS["GANPLAY_RUN_MINUTES"]
    assert Path(os.environ["GANPLAY_HOME"]) == tmp_path / ".ganplay"
    assert hosting.default_port() == "7860"


def test_state_goes_to_the_volume_where_there_is_one_that_keeps_files(elsewhere, tmp_path) -> None:
    elsewhere.setenv("GANPLAY_HOSTED", "1")
    elsewhere.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "data").mkdir()
    hosting.prepare(volume=tmp_path / "data")
    assert Path(os.environ["GANPLAY_HOME"]) == tmp_path / "data" / "ganplay"
    os.environ.pop("GANPLAY_HOME")
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "ganplay").write_text("a file where the folder should be")
    hosting.prepare(volume=tmp_path / "blocked")
    assert Path(os.environ["GANPLAY_HOME"]) == tmp_path / "home" / ".ganplay"


def test_a_folder_that_cannot_keep_files_is_told_in_one_sentence(elsewhere, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    elsewhere.setenv("GANPLAY_HOSTED", "1")
    elsewhere.setenv("GANPLAY_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(ValueError, match=r"^Nothing can be kept in '.*below' \(Not a directory\); set GANPLAY_HOME"):
        hosting.prepare()


def test_uploads_work_inside_a_frame_and_only_the_spaces_own_address_may_connect(elsewhere) -> None:
    elsewhere.setenv("SPACE_ID", "owner/name")
    elsewhere.setenv("SPACE_HOST", "owner-name.hf.space")
    settings = server.arguments(["--port", str(free_port())])
    assert settings["server.enableXsrfProtection"] is False
    assert settings["server.corsAllowedOrigins"] == ["https://owner-name.hf.space"]
    assert "server.enableCORS" not in settings


def test_the_port_of_the_environment_wins(elsewhere) -> None:
    elsewhere.setenv("PORT", str(free_port()))
    assert server.arguments([])["server.port"] == int(os.environ["PORT"])


@pytest.mark.skipif(chromium() is None and not os.environ.get("CI"), reason="needs Chromium or Chrome on the path")
def test_a_file_can_be_uploaded_inside_the_frame_of_another_site(tmp_path) -> None:
    port = str(free_port())
    variables = {**os.environ, "GANPLAY_HOSTED": "1", "PORT": port, "GANPLAY_HOME": str(tmp_path / "home")}
    (tmp_path / "index.html").write_text(f"<iframe id=app width=1200 height=900 src=http://localhost:{port}/train>")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    command = [sys.executable, "app.py"]
    with subprocess.Popen(command, cwd=image.ROOT, env=variables, stdout=subprocess.DEVNULL) as app:
        try:
            assert healthy(port, app)
            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site, page() as tab:
                threading.Thread(target=site.serve_forever, daemon=True).start()
                tab.goto(f"http://127.0.0.1:{site.server_port}/")  # a site other than localhost
                frame = tab.frame_locator("#app")
                frame.get_by_role("combobox", name="Data").click()
                frame.get_by_role("option", name="own pictures").click()
                frame.get_by_text("Bring your own pictures").click()
                with tab.expect_response(lambda answer: "upload_file" in answer.url) as answer:
                    file = {"name": "pets.zip", "mimeType": "application/zip", "buffer": b"not a zip"}
                    frame.locator("input[type=file]").set_input_files(file)
                assert answer.value.ok
                site.shutdown()
        finally:
            app.terminate()


# The Space's repository


@pytest.mark.parametrize("sdk", space.SDKS)
def test_what_is_written_is_a_whole_space(tmp_path, capsys, sdk) -> None:
    assert main(["space", "--write", str(tmp_path / "space"), "--sdk", sdk]) == 0
    folder = tmp_path / "space"
    readme = (folder / "README.md").read_text("utf-8")
    head = yaml.safe_load(readme.split("---\n")[1])
    assert head["sdk"] == sdk and (sdk == "docker") == (folder / "Dockerfile").is_file()
    assert len(head["short_description"]) <= 60  # the Hub's limit
    assert readme.endswith((image.ROOT / "README.md").read_text("utf-8"))
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", readme):
        assert (folder / picture).is_file()
    assert not [path for path in folder.rglob("*") if path.name == "__pycache__" or path.suffix == ".pyc"]
    if sdk == "gradio":
        assert (folder / head["app_file"]).is_file()
        assert tuple(map(int, head["python_version"].split("."))) >= (3, 11)
        assert (folder / "requirements.txt").read_text("utf-8").startswith("--extra-index-url https://download.pytorch")
    told = subprocess.run([sys.executable, "-c", "import app"], cwd=folder, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


def test_a_folder_with_something_in_it_is_left_alone(tmp_path, capsys) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["space", "--write", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


class Hub:
    """Stands in for the client: it keeps what would be uploaded, or fails as told."""

    def __init__(self, monkeypatch, error: Exception | None = None, private: bool = True) -> None:
        self.token, self.created, self.uploaded = "", {}, {}
        self.files: set[str] = set()
        self.error, self.private = error, private
        monkeypatch.setattr("huggingface_hub.HfApi", self._made)

    def _made(self, token: str) -> Hub:
        self.token = token
        return self

    def create_repo(self, repository: str, **options: object) -> str:
        if self.error:
            raise self.error
        self.created = {"repository": repository, **options}
        return f"https://hub.example/spaces/{repository}"

    def repo_info(self, repository: str, repo_type: str) -> Hub:
        assert repo_type == "space"
        return self

    def upload_folder(self, folder_path: Path, **options: object) -> None:
        self.files = {path.relative_to(folder_path).as_posix() for path in folder_path.rglob("*") if path.is_file()}
        self.uploaded = options


@pytest.fixture
def token(monkeypatch) -> str:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    return "hf_secret"


def test_a_push_makes_the_space_and_uploads_all_of_it_with_the_token_of_the_environment(
    monkeypatch, capsys, token
) -> None:
    hub = Hub(monkeypatch)
    assert main(["space", "--push", "owner/name", "--private"]) == 0
    said = capsys.readouterr()
    assert said.out == "https://hub.example/spaces/owner/name\n" and token not in said.out + said.err
    assert hub.token == token
    assert hub.created["repo_type"] == "space" and hub.created["space_sdk"] == "docker"
    assert hub.created["private"] is True
    assert {"README.md", "Dockerfile", "app.py", "checkpoints/quick-digits/model.safetensors"} <= hub.files
    assert hub.uploaded["repo_id"] == "owner/name" and hub.uploaded["repo_type"] == "space"
    assert {"ganplay/*", "pages/*"} <= set(hub.uploaded["delete_patterns"])  # no module of an earlier version stays


def test_a_public_space_does_not_pass_for_a_private_one(monkeypatch, capsys, token) -> None:
    hub = Hub(monkeypatch, private=False)
    assert main(["space", "--push", "owner/name", "--private"]) == 2
    assert "there already and public" in capsys.readouterr().err
    assert not hub.files


@pytest.mark.parametrize("name", ["", "name", "a/b/c", "../x", "owner/na me", "x" * 200 + "/y"])
def test_a_name_that_is_none_is_refused_before_anything_is_sent(monkeypatch, capsys, token, name) -> None:
    hub = Hub(monkeypatch)
    assert main(["space", f"--push={name}"]) == 2
    assert "OWNER/NAME" in capsys.readouterr().err
    assert not hub.token


def test_without_a_token_in_the_environment_nothing_is_sent(monkeypatch, capsys) -> None:
    hub = Hub(monkeypatch)
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    assert main(["space", "--push", "owner/name"]) == 2
    assert "HF_TOKEN" in capsys.readouterr().err
    assert not hub.created


def test_what_the_hub_refuses_or_does_not_answer_is_one_sentence(monkeypatch, capsys, token) -> None:
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    request = httpx2.Request("POST", "https://hub.example/api/repos/create")
    refused = HfHubHTTPError("402", response=httpx2.Response(402, request=request))
    for error, sentence in ((refused, "asks for payment"), (httpx2.ConnectError("no route"), "cannot be reached")):
        Hub(monkeypatch, error)
        assert main(["space", "--push", "owner/name"]) == 2
        told = capsys.readouterr().err
        assert sentence in told and told.count("\n") == 1
