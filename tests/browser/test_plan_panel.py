"""The notebook with the plan panel, served by Voila and used in a real browser.

It needs a Chromium on the machine, which `make test` installs where it may; else it is skipped.
Nothing leaves the machine: the browser can find no other host.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

import pytest

from twin.dashboards import Plan
from twin.dashboards.words import numbers
from twin.experiments import Range

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "13_plan_panel.ipynb"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
PATIENCE_S = 120.0
PHONES = "fleet.gateways.phones.count"
DECORATION = {"cdn.jsdelivr.net"}
"""Voila asks there for a font of icons, and works without."""

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("voila", reason="voila is not installed")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium here: apt install chromium fonts-dejavu-core"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where Voila serves the notebook, on this machine alone."""
    folder = tmp_path_factory.mktemp("voila")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Neither the settings of who runs the tests nor files that others left behind.
    places = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    # Of this path, not of the working directory, the notebook imports the twin.
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [
        *(sys.executable, "-m", "voila", str(NOTEBOOK), "--no-browser", f"--port={port}"),
        *("--Voila.ip=127.0.0.1", "--Voila.port_retries=0"),
    ]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command, env={**os.environ, **places, "PYTHONPATH": path}, cwd=folder,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for(port, server, folder / "log")
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)  # a group of our own: Voila and its kernels
            server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until somebody listens, or tell what the server said before it went."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/static/", timeout=1):
                return
        except URLError as error:
            if hasattr(error, "code"):  # it answers, whatever it says
                error.close()  # type: ignore[attr-defined]
                return
            time.sleep(0.2)
    pytest.fail(f"Voila does not answer:\n{log.read_text()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, for which only this machine exists."""
    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def expected() -> Plan:
    """What Python says of the plan that is set in the browser."""
    plan = Plan(
        "reference_site", {PHONES: Range(4, 24)}, until="4 h", replications=10, progress=False
    )
    plan.set(PHONES, 18)
    plan.simulate()
    return plan


def state(page: Any, wanted: str) -> None:
    """Wait until the panel says how far the plan is."""
    page.locator(f'.twin-plan-state[data-state="{wanted}"]').wait_for(timeout=1000 * PATIENCE_S)


def cell(page: Any, kpi: str, side: str) -> Any:
    """A cell of the table in the panel, which stands below the one for readers without kernel."""
    return page.locator(f'tr[data-kpi="{kpi}"] td.{side}').last


def test_a_planner_moves_a_slider_simulates_and_reads_what_python_says(
    address: str, browser: Any, expected: Plan
) -> None:
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address, timeout=1000 * PATIENCE_S)
    state(page, "as it stands")
    # Without a kernel there would be this table with its picture, above the panel.
    assert page.locator("table.twin-plan").count() == 2
    assert page.locator("img").first.evaluate("image => image.naturalWidth") > 400
    assert cell(page, "beep_p95_ms", "planned").inner_text() == "\N{EN DASH}"

    slider = page.locator(".noUi-handle").first
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")
    state(page, "not simulated yet")
    # The kernel has it, not only the slider: a press before that would be one for less.
    told = page.locator(".twin-plan-state", has_text="14 → 18")
    told.wait_for(timeout=1000 * PATIENCE_S)
    page.get_by_role("button", name="Simulate").click()
    state(page, "simulated")

    for _, line in expected.table.iterrows():
        for side in ("now", "planned", "difference"):
            value, low, high = numbers(line, side)
            text = cell(page, line["kpi"], side).inner_text()
            assert text.split("\n")[0] == value
            assert text.split("\n")[1].startswith(f"{low} to {high}")
    drawn = page.locator('img[alt^="beep_p95_ms"]')
    assert drawn.evaluate("image => image.complete && image.naturalHeight") > 100

    hosts = {urlsplit(url).hostname for url in asked if url.startswith(("http", "ws"))}
    assert hosts - DECORATION == {"127.0.0.1"}
    page.close()
