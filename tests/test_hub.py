"""Downloads from a stand-in Hub: what is asked for, what is kept, and one sentence for whatever goes wrong."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import time
from pathlib import Path

import httpx2
import pytest
from hub_stand_in import TOKEN, Hub, stand_in_hub
from huggingface_hub import constants, errors

from ganplay import paths
from ganplay.hub import cache, download, downloading, fetch, worker
from ganplay.hub.errors import UnreachableError, sentence
from ganplay.hub.reference import Reference

FILES = {name: (paths.bundled_checkpoints() / "quick-digits" / name).read_bytes()
         for name in ("config.json", "model.safetensors", "README.md", "samples.webp", "metrics.json")}  # fmt: skip
RUN = downloading._run
SMALL = {"config.json": b"{}", "model.safetensors": bytes(1_000)}


@pytest.fixture(scope="module")
def server():
    with stand_in_hub() as hub:
        yield hub


@pytest.fixture
def hub(server, monkeypatch) -> Hub:
    """The stand-in with one public model, asked from this very process, which is quicker; no token anywhere."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # read before any test
    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", constants.DOWNLOAD_CHUNK_SIZE)  # the worker's own to change
    monkeypatch.setattr(downloading, "_run", lambda request, *_: worker.answer(request))
    server.clear()
    server.add("someone/a-gan", FILES | {"pytorch_model.bin": b"pickle", "train.py": b"import os"})
    return server


@pytest.fixture
def far_hub(hub, monkeypatch) -> Hub:
    """The same, asked by a process of its own, as outside tests."""
    monkeypatch.setattr(downloading, "_run", RUN)
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    return hub


def children() -> set[str]:
    """The processes that this one has started and not waited for, where the system tells."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(path.read_text().split()) if path.exists() else set()


def refused(name: str, **options: object) -> str:
    """The sentence that a download ends with."""
    with pytest.raises(ValueError) as raised:
        download(name, **options)
    text = str(raised.value)
    assert text.endswith(".") and "\n" not in text and len(text) < 300 and "Traceback" not in text
    assert not list(paths.hub_folder().glob(".loading-*"))  # nothing half done is left
    return text


def test_a_download_holds_the_files_of_a_model_and_no_others(far_hub):
    folder = download("someone/a-gan")
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.name != cache.ABOUT} == FILES
    assert not [path for _, path, _ in far_hub.seen if path.endswith((".bin", ".py"))]


def test_sizes_are_asked_before_any_file(hub):
    download("someone/a-gan")
    paths_asked = [path for _, path, _ in hub.seen]
    first_file = next(index for index, path in enumerate(paths_asked) if "/resolve/" in path)
    assert any("/paths-info/" in path for path in paths_asked[:first_file])


def test_progress_counts_the_bytes(far_hub):
    far_hub.pace = 0.05
    told = []
    download("someone/a-gan", progress=lambda sentence, share: told.append((share, sentence)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and any(0 < share < 1 for share in shares)
    total = sum(map(len, FILES.values())) / 1e6
    assert f"of {total:.1f} MB" in told[-1][1]


def test_a_second_download_asks_for_news_and_fetches_nothing_again(hub):
    folder = download("someone/a-gan")
    hub.seen.clear()
    assert download("someone/a-gan") == folder
    assert hub.seen and not [path for _, path, _ in hub.seen if "/resolve/" in path]


def test_a_new_commit_replaces_only_the_files_that_changed(hub):
    download("someone/a-gan")
    hub.repositories["someone/a-gan"].commit(FILES | {"README.md": b"# better"})
    hub.seen.clear()
    folder = download("someone/a-gan")
    assert (folder / "README.md").read_bytes() == b"# better"
    assert {path.rsplit("/", 1)[1] for _, path, _ in hub.seen if "/resolve/" in path} == {"README.md"}


def test_a_file_damaged_on_this_disk_is_fetched_again(hub):
    folder = download("someone/a-gan")
    (folder / "model.safetensors").write_bytes(b"x" * len(FILES["model.safetensors"]))
    assert (download("someone/a-gan") / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_offline_the_copy_on_this_computer_serves_without_a_request(hub, monkeypatch):
    folder = download("someone/a-gan")
    hub.seen.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert download("someone/a-gan") == folder
    assert "HF_HUB_OFFLINE is set" in refused("someone/another")
    assert hub.seen == []


def test_when_the_hub_cannot_be_reached_the_copy_on_this_computer_serves(far_hub, monkeypatch):
    folder = download("someone/a-gan")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens there
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert download("someone/a-gan") == folder
        assert "cannot be reached" in refused("someone/another")


def test_revisions_lie_beside_each_other(hub):
    repository = hub.repositories["someone/a-gan"]
    first = repository.branches["main"]
    repository.commit(FILES | {"README.md": b"# of a branch"}, "refs/pr/1")
    assert (download("someone/a-gan", "refs/pr/1") / "README.md").read_bytes() == b"# of a branch"
    assert (download("someone/a-gan") / "README.md").read_bytes() == FILES["README.md"]
    assert cache.about(download("someone/a-gan", first)).commit == first
    assert [reference.revision for reference, _ in cache.downloads()] == sorted([first, "main", "refs/pr/1"])


def test_every_refusal_is_one_sentence_that_says_what_to_do(hub):
    hub.add("someone/gated", FILES, gated=True)
    hub.add("someone/private", FILES, private=True)
    hub.add("someone/text", {"README.md": b"a language model", "pytorch_model.bin": b"pickle"})
    assert "no model someone/nothing on the Hub, or it is private" in refused("someone/nothing")
    assert "no model someone/private on the Hub, or it is private" in refused("someone/private")
    assert "someone/gated is gated: accept its conditions" in refused("someone/gated")
    assert "no revision 'never'; the usual one is 'main'" in refused("someone/a-gan", revision="never")
    assert "has no config.json and no model.safetensors" in refused("someone/text")


@pytest.mark.parametrize(
    ("name", "revision"),
    [
        ("", "main"), ("name", "main"), ("a/b/c", "main"), ("../../etc", "main"), ("a/..", "main"), ("a/b--c", "main"),
        ("a/b c", "main"), ("/etc/passwd", "main"), ("a/b.git", "main"), ("a/b\n", "main"), ("a" * 97 + "/b", "main"),
        ("a/b", ""), ("a/b", "../x"), ("a/b", "x y"), ("a/b", "/x"), ("a/b", "x\n"), (None, "main"), ("a/b", None),
        ("http://x/y", "main"),
    ],
)  # fmt: skip
def test_names_that_cannot_be_are_refused_before_any_request(hub, name, revision):
    assert "is no re" in refused(name, revision=revision)  # no repository, or no revision
    assert hub.seen == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "does not accept the token (401)"), (402, "payment"), (403, "does not allow this to read"),
        (418, "refused to read someone/a-gan (418)"), (429, "too many requests"), (500, "problem of its own (500)"),
        (503, "problem of its own (503)"),
    ],
)  # fmt: skip
def test_http_refusals_become_sentences(status, said):
    answer = httpx2.Response(status, request=httpx2.Request("GET", "http://hub"))
    told = sentence(errors.HfHubHTTPError(f"{status}\nRequest ID: x", response=answer), Reference("someone/a-gan"))
    assert said in str(told) and "\n" not in str(told)
    assert isinstance(told, UnreachableError) == (status in (429, 500, 503))  # then an older copy will do


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx2.ConnectError("refused"), "cannot be reached"), (httpx2.ReadTimeout("slow"), "did not answer in time"),
        (httpx2.RemoteProtocolError("closed"), "connection to the Hub broke"), (OSError(28, "full"), "disk is full"),
        (errors.OfflineModeIsEnabled("off"), "HF_HUB_OFFLINE is set"), (errors.HFValidationError("bad"), "could have"),
        (json.JSONDecodeError("no", "<html>", 0), r"could not be reached as a model on the Hub (JSONDecodeError)"),
    ],
)  # fmt: skip
def test_whatever_the_network_does_becomes_a_sentence(error, said):
    assert said in str(sentence(error, Reference("someone/a-gan")))


def test_a_busy_hub_in_real_answers_is_said_too(far_hub):
    far_hub.trouble["/api/models/"] = 429
    assert "too many requests" in refused("someone/a-gan")


def test_a_hung_hub_ends_at_the_deadline_and_leaves_no_process(far_hub, monkeypatch):
    monkeypatch.setenv("GANPLAY_DOWNLOAD_SECONDS", "2")
    far_hub.trouble["/resolve/"] = "hang"
    before = children()  # those of other tests
    assert "stopped: after 2 seconds" in refused("someone/a-gan")
    assert children() <= before


def test_a_slow_download_is_stopped_and_says_how_much_had_arrived(far_hub, monkeypatch):
    monkeypatch.setenv("GANPLAY_DOWNLOAD_SECONDS", "3")
    far_hub.pace = 30
    assert "MB had arrived" in refused("someone/a-gan")


def test_a_file_that_is_cut_off_is_refused(hub):
    hub.trouble["GET"] = "short"
    assert "arrived incomplete; try again" in refused("someone/a-gan")
    assert cache.downloads() == []


@pytest.mark.parametrize("file", ["model.safetensors", "metrics.json"])
def test_a_changed_byte_on_the_way_is_found_by_its_checksum(hub, file):
    hub.trouble[file] = "change"
    assert f"{file} of someone/a-gan arrived damaged" in refused("someone/a-gan")
    assert cache.downloads() == []


def test_what_is_too_large_is_refused_by_its_announced_size(hub, monkeypatch):
    hub.sizes["model.safetensors"] = 300 * 10**6
    others = sum(map(len, FILES.values())) - len(FILES["model.safetensors"])
    sentence = f"has {300 + others / 1e6:.1f} MB; at most 200.0 MB are downloaded (GANPLAY_DOWNLOAD_MB)"
    assert sentence in refused("someone/a-gan")
    monkeypatch.setenv("GANPLAY_DOWNLOAD_MB", "0.1")
    hub.sizes.clear()
    assert "at most 0.1 MB" in refused("someone/a-gan")
    monkeypatch.delenv("GANPLAY_DOWNLOAD_MB")
    hub.sizes["config.json"] = 10**6 + 1
    assert "config.json of someone/a-gan has 1.0 MB" in refused("someone/a-gan")
    assert not [path for _, path, _ in hub.seen if "/resolve/" in path]


def test_what_is_larger_than_announced_is_not_kept(far_hub):
    far_hub.pace = 0.1
    far_hub.sizes["model.safetensors"] = 10
    assert "larger than it was announced" in refused("someone/a-gan")
    assert cache.downloads() == []


def test_the_downloads_used_longest_ago_make_room(hub, monkeypatch):
    monkeypatch.setenv("GANPLAY_HUB_GB", "4e-6")  # 4,000 bytes: three of these
    for age, name in ((30, "a/old"), (20, "a/older"), (10, "a/young")):
        hub.add(name, SMALL)
        folder = download(name)
        os.utime(folder / cache.ABOUT, (time.time() - age,) * 2)
    cache.touch(cache.find(Reference("a/old")))  # sampled again just now
    hub.add("a/new", SMALL)
    download("a/new")
    assert [reference.repository for reference, _ in cache.downloads()] == ["a/new", "a/old", "a/young"]
    hub.add("a/huge", {"config.json": b"{}", "model.safetensors": bytes(5_000)})
    assert "raise GANPLAY_HUB_GB" in refused("a/huge")
    assert len(cache.downloads()) == 3


def test_a_download_under_way_keeps_the_room_it_needs(hub, monkeypatch):
    monkeypatch.setenv("GANPLAY_HUB_GB", "4e-6")
    with cache.loading(60) as other:
        cache.make_room(other, Reference("a/first"), 3_500)
        hub.add("a/second", SMALL)
        with pytest.raises(ValueError, match="are in use; raise GANPLAY_HUB_GB"):
            download("a/second")
    assert download("a/second").is_dir()


def test_what_a_killed_server_left_is_deleted(hub):
    left = paths.hub_folder() / ".loading-0123"
    left.mkdir(parents=True)
    os.utime(left, (time.time() - 10_000,) * 2)
    download("someone/a-gan")
    assert not left.exists()


def test_the_token_of_the_environment_opens_private_models_and_lies_nowhere(far_hub, monkeypatch, home, tmp_path):
    far_hub.add("someone/private", FILES, private=True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    told = []
    folder = download("someone/private", progress=lambda sentence, share: told.append(sentence))
    assert far_hub.tokens() == {TOKEN}
    assert TOKEN not in "".join(told)
    for file in (file for root in (home, tmp_path) for file in root.rglob("*") if file.is_file()):
        assert TOKEN.encode() not in file.read_bytes(), file
    far_hub.seen.clear()
    assert "that everybody may read" in refused("someone/private", use_token=False)
    assert far_hub.tokens() == {""}
    assert cache.find(Reference("someone/private")) is None  # for visitors it is not there
    assert cache.find(Reference("someone/private"), restricted=True) == folder


def test_the_process_of_a_download_is_told_the_token_by_its_input_alone(far_hub, monkeypatch):
    seen = []
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda words, **rest: seen.append((words, rest)) or start(words, **rest))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", TOKEN)
    download("someone/a-gan")
    assert len(seen) == 1 and TOKEN not in repr(seen)


def test_a_token_that_the_client_has_stored_is_never_sent(far_hub, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    (tmp_path / "token").write_text(TOKEN)
    download("someone/a-gan")
    assert far_hub.tokens() == {""}


def wait_for(key: str, **options: bool) -> list:
    """Every state of a fetch until its end."""
    states = [fetch(key, **options)]
    end = time.monotonic() + 30
    while states[-1].state in ("waiting", "loading") and time.monotonic() < end:
        time.sleep(0.02)
        states.append(fetch(key))
    return states


def test_a_view_fetches_without_waiting_and_without_the_operators_token(far_hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    far_hub.add("someone/private", FILES, private=True)
    far_hub.pace = 0.02
    states = wait_for("hub:someone/a-gan")
    assert [states[0].state, states[-1].state] == ["waiting", "ready"]
    assert any(0 < state.progress < 1 and state.state == "loading" for state in states)
    assert wait_for("hub:someone/private")[-1].message.startswith("There is no model someone/private")
    assert far_hub.tokens() == {""}


def test_a_failed_fetch_stands_until_somebody_asks_to_retry(hub):
    first = wait_for("hub:someone/later")[-1]
    hub.add("someone/later", FILES)
    hub.seen.clear()
    assert first.state == "failed" and fetch("hub:someone/later") == first
    assert hub.seen == []
    assert wait_for("hub:someone/later", retry=True)[-1].state == "ready"


def test_a_program_that_always_asks_to_retry_is_told_of_the_failure_first(hub):
    states = [fetch("hub:someone/never", retry=True)]
    while states[-1].state in ("waiting", "loading") and len(states) < 1_000:
        time.sleep(0.02)
        states.append(fetch("hub:someone/never", retry=True))
    assert states[-1].state == "failed"
    assert fetch("hub:someone/never", retry=True).state == "waiting"
    assert wait_for("hub:someone/never")[-1].state == "failed"


def test_many_viewers_of_one_model_download_it_once(hub):
    for _ in range(20):
        fetch("hub:someone/a-gan")
    assert wait_for("hub:someone/a-gan")[-1].state == "ready"
    assert len([path for method, path, _ in hub.seen if method == "GET" and path.endswith("model.safetensors")]) == 1


def test_keys_that_need_no_download_are_ready_and_bad_ones_fail(hub):
    assert fetch("checkpoint:quick-digits").state == "ready"
    assert fetch("hub:../x").state == "failed"
    assert fetch("hub:a/b@../x").message.endswith("a branch or a tag, or a commit.")


def test_the_notes_beside_a_download_name_the_commit(hub):
    folder = download("someone/a-gan")
    sha = hub.repositories["someone/a-gan"].branches["main"]
    about = json.loads((folder / cache.ABOUT).read_text())
    assert about == {"repository": "someone/a-gan", "revision": "main", "commit": sha, "restricted": False}
    assert (
        hashlib.sha256((folder / "model.safetensors").read_bytes()).digest()
        == hashlib.sha256(FILES["model.safetensors"]).digest()
    )


def test_the_size_of_a_folder_counts_its_files_while_others_vanish(tmp_path, monkeypatch):
    (tmp_path / "kept" / "deep").mkdir(parents=True)
    (tmp_path / "going").mkdir()
    for name, count in (("kept/a", 5), ("kept/deep/b", 7), ("going/c", 100)):
        (tmp_path / name).write_bytes(bytes(count))
    listed = os.scandir

    def vanishing(path):
        if Path(path).name == "going":
            (tmp_path / "going" / "c").unlink()
            (tmp_path / "going").rmdir()
        return listed(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert cache.size(tmp_path) == 12
