"""A changed rule is never served from a stale cache.

Each test runs a copy of the package in processes of its own, with a cache of its own.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import TWIN

PROBE = """
import json
import twin
from twin.compiling import cache_name
from twin.floor.rules.scanner import report_us
value = report_us(12345, 1, 60_000_000)
print(json.dumps({
    "home": twin.__file__,
    "value": int(value),
    "folder": cache_name(),
    "hits": sum(report_us.stats.cache_hits.values()),
    "misses": sum(report_us.stats.cache_misses.values()),
}))
"""
"""Compiles one rule whose callees stand in other files, and says what it returned."""

CALLEE = "draws/addressing.py"
OLD, NEW = "0x9E3779B97F4A7C15", "0x9E3779B97F4A7C17"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    shutil.copytree(TWIN, folder / "twin", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def probe(folder: Path, cache: Path) -> dict[str, Any]:
    """What a new process says that imports the package from a folder."""
    env = {**os.environ, "PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(cache)}
    env |= {"HOME": str(cache), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_DISABLE_JIT": "0"}
    command = [sys.executable, "-W", "error", "-c", PROBE]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert Path(said["home"]).is_relative_to(folder)
    return said


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Change one thing in one file of a copy."""
    path = folder / "twin" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} no longer holds {old!r} once: mend this test"
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_changed_callee_in_another_file_is_seen(copy: Path, tmp_path: Path) -> None:
    before = probe(copy, tmp_path / "cache")
    again = probe(copy, tmp_path / "cache")
    assert (before["hits"], again["hits"], again["misses"]) == (0, 1, 0)
    assert again["value"] == before["value"]
    edit(copy, CALLEE, OLD, NEW)
    after = probe(copy, tmp_path / "cache")
    assert after["value"] != before["value"]
    assert after["folder"] != before["folder"]
    edit(copy, CALLEE, NEW, OLD)
    assert probe(copy, tmp_path / "cache") == again


def test_without_the_digest_it_would_be_stale(copy: Path, tmp_path: Path) -> None:
    # Shows that the test above can fail, and why the digest is there.
    edit(copy, "compiling.py", "return digest.hexdigest()[:24]", 'return "one-name-for-all"')
    before = probe(copy, tmp_path / "cache")
    edit(copy, CALLEE, OLD, NEW)
    assert probe(copy, tmp_path / "cache")["value"] == before["value"]


def test_equal_sources_share_a_folder(copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    shutil.copytree(copy, other)
    cache = tmp_path / "cache"
    assert probe(copy, cache)["folder"] == probe(other, cache)["folder"]
    assert len(list((cache / "twin" / "compiled").iterdir())) == 1


def test_a_disk_that_refuses_a_cache_costs_time_and_nothing_else(
    copy: Path, tmp_path: Path
) -> None:
    good = probe(copy, tmp_path / "cache")
    refused = tmp_path / "a-file"
    refused.write_text("not a folder")
    assert probe(copy, refused / "cache")["value"] == good["value"]


def test_a_cache_that_became_read_only_works(copy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    good = probe(copy, cache)
    folder = cache / "twin" / "compiled" / good["folder"]
    shutil.rmtree(folder)
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    try:
        assert probe(copy, cache)["value"] == good["value"]
        # numba would keep it beside the source instead, where no digest names it.
        assert not list(copy.rglob("*.nb[ic]"))
    finally:
        folder.chmod(0o700)
