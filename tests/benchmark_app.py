"""What the app costs: start, first picture, watching, memory, answers of studio and playground. Linux; needs Chromium.

    python tests/benchmark_app.py

Every figure is measured in this run and printed with the machine. The price of watching is a ratio: the same run with
and without a browser on its page, in alternating windows. Not a test: nothing is asserted.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

from browser import ROOT, free_port, page, server

sys.path.insert(0, str(ROOT))
SOURCE, VIEWERS, MOVES = "checkpoint:quick-digits", (1, 8, 30), 12  # each viewer moves a slider so often
THINKING = 2.0  # seconds between two moves
PLAYERS, PLAYED = (1, 30), 30.0  # at once, and seconds
WINDOW, PAIRS = 15.0, 4  # seconds, and alternations with and without a watcher


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GANPLAY_HOME"] = str(Path(folder) / "home")
        figures = {"machine": machine(), "load before": os.getloadavg()[0]}
        start_up(Path(folder), [])  # warms the file caches; not counted
        figures["start to interactive Home, s"] = start_up(Path(folder), times := [])
        figures["start to health answer, s"] = times[0]
        figures |= training(Path(folder))
        figures |= studio(Path(folder))
        figures |= playground(Path(folder))
    print(json.dumps(figures, indent=2))


def machine() -> str:
    """Processor, cores, and whether it has bf16 in hardware."""
    from ganplay.precision import chosen

    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return (
        f"{names[0]}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {chosen('auto')}"
    )


def start_up(folder: Path, times: list[float]) -> float:
    """Seconds from starting the server to a Home page whose links can be clicked, in a browser that is open already."""
    with page() as tab:
        tab.goto("about:blank")
        started = time.perf_counter()
        with server(folder / "home") as (address, _):
            times.append(round(time.perf_counter() - started, 2))
            tab.goto(address)
            tab.get_by_role("heading", level=1).first.wait_for(timeout=60_000)
            tab.get_by_test_id("stSidebarNav").get_by_role("link", name="Train side by side").wait_for(timeout=60_000)
            return round(time.perf_counter() - started, 2)


def training(folder: Path) -> dict[str, object]:
    """From a click on Start to two live pictures; memory of both runs and the server; the price of watching one."""
    from ganplay.runs import store

    port = free_port()
    with server(folder / "home", port) as (address, process), page() as tab:
        query = "&".join(
            "recipe=" + urllib.parse.quote(f"quick-digits;stop_images=100000000;title={name}") for name in "AB"
        )
        tab.goto(f"{address}/train?{query}")
        button = tab.get_by_role("button", name="Start", exact=True)
        button.wait_for(timeout=60_000)
        time.sleep(5)  # the studio is being imported meanwhile; a person reads the page
        started = time.perf_counter()
        button.click()
        pictures = tab.locator('[data-testid="stImage"] img')
        pictures.nth(1).wait_for(timeout=60_000)
        first = round(time.perf_counter() - started, 2)
        time.sleep(30)
        memory = round(proportional_memory(process.pid) / 1e9, 2)

        newest, other = store.list_runs()[:2]
        other.ask("stop")
        wait_until_ended(other)
        watched = f"{address}/train?runs={newest.id}"
        rates: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(PAIRS):
            for looking in (True, False):
                tab.goto(watched if looking else "about:blank")
                time.sleep(5)
                rates[looking].append(rate(newest))
        newest.ask("stop")
        wait_until_ended(newest)
    alone, seen = (statistics.mean(rates[looking]) for looking in (False, True))
    return {
        "click on Start to both first pictures, s": first,
        "server and two digit runs, GB of memory (proportional set size)": memory,
        "images/s alone": round(alone),
        "images/s watched by a browser on the same machine": round(seen),
        "watched / alone": round(seen / alone, 3),
        "windows alone, watched": [[round(value) for value in rates[looking]] for looking in (False, True)],
        "threads of a run": newest.info["threads"],
    }


def studio(folder: Path) -> dict[str, object]:
    """Seconds from a moved slider to the last byte of the new picture, with one viewer and with many at once."""
    figures: dict[str, object] = {}
    with server(folder / "home") as (address, _):
        for viewers in VIEWERS:
            times: list[float] = []
            ready = threading.Barrier(viewers)
            people = [
                threading.Thread(target=move_sliders, args=(address, 1_000 * person, ready, times))
                for person in range(viewers)
            ]
            for person in people:
                person.start()
            for person in people:
                person.join()
            times.sort()
            figures[f"a new picture of 64 samples in the studio, {viewers} viewer(s), ms: median, 95 %"] = [
                round(1e3 * statistics.median(times)), round(1e3 * times[int(0.95 * len(times))])
            ]  # fmt: skip
    return figures


def move_sliders(address: str, first: int, ready: threading.Barrier, times: list[float]) -> None:
    """One viewer: a new seed, a look at it, and the next. The first answer, behind the server's imports, is free."""
    viewer = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=60)
    session = f"viewer-{first}"  # as a browser has one
    see_samples(viewer, session, first)
    ready.wait()
    for seed in range(first + 1, first + 1 + MOVES):
        started = time.perf_counter()
        see_samples(viewer, session, seed)
        times.append(time.perf_counter() - started)
        time.sleep(THINKING)


def see_samples(viewer: http.client.HTTPConnection, session: str, seed: int) -> bytes:
    """The studio's picture of 64 samples. Bare requests: gradio_client takes as much processor time as the server."""
    values = [SOURCE, seed, 64, 0, "", 0.0]  # columns, class and truncation as they are by default
    sent = {"data": values, "session_hash": session}
    event = json.loads(fetch(viewer, "/studio/gradio_api/call/sample", sent))["event_id"]
    answer = fetch(viewer, f"/studio/gradio_api/call/sample/{event}").decode()
    if not answer.startswith("event: complete"):
        raise RuntimeError(f"The studio answered {answer!r}.")
    picture = urllib.parse.urlsplit(json.loads(answer.split("data: ", 1)[1])[0]["url"])
    return fetch(viewer, picture.path)


def playground(folder: Path) -> dict[str, object]:
    """Playgrounds at full speed, each with somebody who asks for the next picture as soon as there is one."""
    figures: dict[str, object] = {}
    with server(folder / "home") as (address, _):
        for players in PLAYERS:
            games: list[tuple[float, list[float]]] = []
            ready = threading.Barrier(players)
            people = [threading.Thread(target=play, args=(address, ready, games)) for _ in range(players)]
            for person in people:
                person.start()
            for person in people:
                person.join()
            waits = [wait for _, one in games for wait in one]
            name = f"the playground, {players} player(s): iterations/s and pictures/s of each, the longest wait in s"
            figures[name] = [
                round(statistics.mean(rate for rate, _ in games)), round(len(waits) / players / PLAYED, 1),
                round(max(waits), 2),
            ]  # fmt: skip
    return figures


def play(address: str, ready: threading.Barrier, games: list[tuple[float, list[float]]]) -> None:
    """One player: iterations a second, and the seconds from each picture to the next. What starts it is not counted."""
    player = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=60)
    world = "/playground/" + json.loads(fetch(player, "/playground/new", {"script": "0~r"}))["id"]
    for action in ({"do": "speed", "speed": 1_000}, {"do": "play"}):
        fetch(player, f"{world}/do", action)
    next_frame(player, world, -1)
    ready.wait()
    first = last = next_frame(player, world, -1)
    begun = seen = time.perf_counter()
    waits = []
    while seen < begun + PLAYED:
        last = next_frame(player, world, last["seq"])
        waits.append(time.perf_counter() - seen)
        seen += waits[-1]
    games.append(((last["at"] - first["at"]) / (seen - begun), waits))


def next_frame(player: http.client.HTTPConnection, world: str, after: int) -> dict[str, object]:
    """The first frame that is newer; the server says every second that there is none."""
    while not (body := fetch(player, f"{world}/frame?after={after}")):
        pass
    return json.loads(body)


def fetch(viewer: http.client.HTTPConnection, path: str, sent: object = None) -> bytes:
    """The body of an answer: to GET, or to POST when something is sent as JSON."""
    if sent is None:
        viewer.request("GET", path)
    else:
        viewer.request("POST", path, json.dumps(sent), {"Content-Type": "application/json"})
    with viewer.getresponse() as answer:
        body = answer.read()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{path} answered {answer.status}: {body[:200]!r}")
        return body


def rate(run) -> float:
    """Images a second over one window, from the run's own status."""
    first, begun = run.status(), time.time()
    time.sleep(WINDOW)
    last = run.status()
    return (last.images - first.images) / max(last.updated - first.updated, time.time() - begun - 1)


def wait_until_ended(run) -> None:
    while run.status().live:
        time.sleep(0.2)


def proportional_memory(root: int) -> int:
    """Bytes of a process and all below it; pages that several share count once."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    family = {root}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    total = 0
    for member in family:
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
        except OSError:
            continue
    return total


if __name__ == "__main__":
    main()
