"""The playground's addresses: JSON in and out, every error one sentence, nothing that a stranger could misuse."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ganplay.playground.client import Client
from ganplay.ui import playground_routes, server

TEXT = "0~r;g.widths=8;d.widths=8;batch_size=32"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser before a server with a real process behind it."""
    patch = pytest.MonkeyPatch()
    patch.setenv("GANPLAY_HOME", str(tmp_path_factory.mktemp("home")))
    client = Client()
    patch.setattr(playground_routes, "client", lambda: client)
    with TestClient(Starlette(routes=playground_routes.routes())) as browser:
        yield browser
    client.close()
    patch.undo()


@pytest.fixture(scope="module")
def place(browser):
    """The address of one playground."""
    answer = browser.post("/playground/new", json={"script": TEXT})
    assert answer.status_code == 200
    return f"/playground/{answer.json()['id']}"


def assert_refused(answer, status, said):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error"}
    assert said in answer.json()["error"]


def test_a_playground_is_begun_looked_at_and_changed(browser, place):
    frame = browser.get(f"{place}/frame").json()
    assert frame["at"] == 0
    answer = browser.post(f"{place}/do", json={"do": "step", "which": "both"})
    assert answer.json()["at"] == 1
    assert answer.json()["script"] == "1" + TEXT[1:]
    newer = browser.get(f"{place}/frame", params={"after": frame["seq"]}).json()
    assert (newer["at"], newer["seq"] > frame["seq"]) == (1, True)
    assert browser.get(f"{place}/real").json()["extent"] == newer["extent"]
    assert browser.get(f"{place}/curves").json()["losses"][-1]["at"] == 1
    assert browser.get(f"{place}/recipe").json()["batch_size"] == 32
    picture = browser.get(f"{place}/animation")
    assert picture.headers["content-type"] == "image/webp"
    assert picture.content[8:12] == b"WEBP"


def test_nothing_new_is_no_content_after_a_while(browser, place):
    for _ in range(10):
        seq = browser.get(f"{place}/frame").json()["seq"]
        answer = browser.get(f"{place}/frame", params={"after": seq})
        if answer.status_code == 204:  # a measurement may have come first
            assert answer.content == b""
            return
    pytest.fail("There was always something new.")


@pytest.mark.parametrize("id", ["x" * 24, "short", "..", "%2e%2e", "x" * 500, "é" * 24])
@pytest.mark.parametrize("what", ["frame", "real", "curves", "recipe", "animation"])
def test_a_wrong_id_is_not_found(browser, id, what):
    answer = browser.get(f"/playground/{id}/{what}")
    assert answer.status_code == 404


def test_a_wrong_id_can_do_nothing(browser):
    assert_refused(browser.post(f"/playground/{'x' * 24}/do", json={"do": "play"}), 404, "no such playground")


@pytest.mark.parametrize("action", [{}, {"do": "fly"}, {"do": "change", "changes": {"loss": "x"}}, {"do": 1}])
def test_a_wrong_action_is_refused(browser, place, action):
    assert_refused(browser.post(f"{place}/do", json=action), 400, "choose one of" if action.get("do") != 1 else "'1'")


def test_a_wrong_script_is_refused_and_gets_no_id(browser):
    assert_refused(browser.post("/playground/new", json={"script": "5~r;loss=x"}), 400, "no loss 'x'")
    assert_refused(browser.post("/playground/new", json={"script": "x" * 2_001}), 400, "2,000 characters")
    assert_refused(browser.post("/playground/new", json={}), 400, "a text")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"\xff", b"[" * 60_000, b"1" * 5_000])
def test_a_body_that_is_no_object_is_refused(browser, place, body):
    assert_refused(browser.post(f"{place}/do", content=body, headers=JSON), 400, "JSON")


def test_an_oversized_body_is_refused_whether_it_says_so_or_not(browser, place):
    large = json.dumps({"do": "x" * playground_routes.MOST_BYTES}).encode()
    parts = [large[start : start + 999] for start in range(0, len(large), 999)]
    for address in (f"{place}/do", "/playground/new"):
        for content in (large, iter(parts)):
            answer = browser.post(address, content=content, headers=JSON)
            assert_refused(answer, 413, "larger than 65,536 bytes")


def test_what_another_sites_form_could_send_is_refused(browser, place):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = browser.post(f"{place}/do", content=b'{"do": "play"}', headers={"content-type": kind})
        assert_refused(answer, 415, "application/json only")


@pytest.mark.parametrize("query", ["after=x", "after=1e3", "after=", "after=" + "9" * 400, "after=٣"])
def test_a_wrong_number_is_refused(browser, place, query):
    assert_refused(browser.get(f"{place}/frame?{query}"), 400, "whole number")


def test_a_member_that_does_not_exist_is_refused(browser, place):
    assert_refused(browser.get(f"{place}/curves?member=1"), 400, "no member 1")
    assert_refused(browser.get(f"{place}/recipe?member=-1"), 400, "no member -1")


def test_answers_are_never_cached(browser, place):
    assert browser.get(f"{place}/frame").headers["cache-control"] == "no-store"


def test_the_server_mounts_them_beside_the_page():
    paths = {getattr(route, "path", "") for route in server.routes()}
    assert {"/playground/new", "/playground/{id}/frame", "/playground/{id}/do"} <= paths
    assert "/playground" not in paths


def test_the_routes_need_no_torch():
    code = "import sys, ganplay.ui.playground_routes; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
