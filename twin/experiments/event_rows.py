"""Events of exports as one frame, whichever way they came; what makes no sense is noted."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from twin.errors import Problem

__all__ = ["COLUMNS", "Notes", "from_frame", "from_items"]

Notes = list[Problem]

COLUMNS = {
    "id": "of the event",
    "created_us": "when it was scanned, since 1970 [us]",
    "is_scan": "whether it is a scan; else a report of the scanner's state",
    "device": "serial of the scanner",
    "gateway": "that it was sent over",
    "code": "text of the scan",
    "symbology": "of the scan",
    "trigger_s": "how long the trigger was held [s]",
    "beep_us": "when the worker heard the beep, since 1970 [us]; NaN where the export has none",
    "visible_us": "when the cloud showed it, since 1970 [us]; NaN where the export has none",
    "arrived_us": "when the gateway had it, since 1970 [us]; NaN where the export has none",
    "wait_us": "in the gateway's queue [us]; NaN where the export has none",
    "failed": "1 if it has to be scanned again, 2 if once the link is back, else 0; NaN where the "
    "export does not say",
    "slip": "what the worker did wrong; empty where the export does not say",
}
"""What is known of an event."""

_MS = 1000.0
_FIRST_MS = 946_684_800_000  # the year 2000; what counts seconds stays below for 28,000 years
_LAST_MS = 4_102_444_800_000
_TYPES = ("scan", "telemetry")
_SAY_MS = "milliseconds since 1970, from 2000 to 2100"
_SCANNED_AGAIN = ("lost_ble", "no_feedback")
_SCANNED_LATER = "not_connected"
_TEXTS = {"id": "id", "device": "device_id", "gateway": "gateway_id"}


def from_items(file: str, items: Sequence[tuple[str, Any]], notes: Notes) -> pd.DataFrame:
    """Return events as the API gives them.

    Parameters
    ----------
    file
        Their file, for messages.
    items
        Each with its place in the file.
    notes
        Where problems are put.
    """
    rows = [_item(file, place, item, notes) for place, item in items]
    frame = pd.DataFrame([row for row in rows if row is not None], columns=list(COLUMNS))
    return frame.astype({"beep_us": float, "visible_us": float, "failed": float})


def _item(file: str, place: str, item: Any, notes: Notes) -> dict[str, Any] | None:
    """Return one event of the API, or note what is wrong with it."""
    before = len(notes)

    def note(what: str, name: str, allowed: str, hint: str = "") -> None:
        given = item.get(name, "(absent)") if isinstance(item, dict) else item
        key = f"{place}, {name}" if name else place
        notes.append(Problem(what, file, key, str(given)[:80], allowed, hint))

    if not isinstance(item, dict):
        note("no event", "", "an object with id, type, created, device_id, ...")
        return None
    for name in _TEXTS.values():
        if not isinstance(item.get(name), str) or not item[name]:
            note("a text is due", name, "as GET /{customer_id}/events gives it")
    if item.get("type") not in _TYPES:
        note("no type of event", "type", " or ".join(_TYPES))
    _check_created(item.get("created"), note)
    if item.get("type") == "scan" and not isinstance(item.get("scan_code"), str):
        note("a scan without its text", "scan_code", "a text")
    held = item.get("scan_duration", math.nan)
    if not _is_number(held) or held < 0 or held > 1e6:
        note("no duration", "scan_duration", "seconds, at least 0")
    if len(notes) > before:
        return None
    return _row(item, float(held))


def _check_created(created: Any, note: Any) -> None:
    """Note what is no moment in milliseconds."""
    if not _is_number(created):
        note("no moment", "created", _SAY_MS)
    elif not _FIRST_MS <= created <= _LAST_MS:
        hint = "it looks like seconds: multiply by 1000" if 1e9 <= created < 5e9 else ""
        note("out of range", "created", _SAY_MS, hint)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _row(item: Mapping[str, Any], held_s: float) -> dict[str, Any]:
    """Return a sound event of the API as a row."""
    nan = math.nan
    return {
        **{name: item[field] for name, field in _TEXTS.items()},
        "created_us": round(item["created"] * 1000),
        "is_scan": item["type"] == "scan",
        "code": item.get("scan_code", ""),
        "symbology": str(item.get("scan_decode_symbology", "")),
        "trigger_s": held_s,
        "beep_us": nan, "visible_us": nan, "arrived_us": nan, "wait_us": nan, "failed": nan,
        "slip": "",
    }  # fmt: skip


# --- frames of the twin ---------------------------------------------------------------------------


def from_frame(file: str, frame: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Return events as `Twin.events()` gives them, written with `to_csv`.

    Rows that are no message, such as sessions and drops, are left out.

    Parameters
    ----------
    file
        Their file, for messages.
    frame
        Its lines as texts.
    notes
        Where problems are put.
    """
    missing = [name for name in ("kind", "scan_time", "device") if name not in frame]
    if missing:
        given, allowed = ", ".join(frame.columns), "kind, scan_time, device, scan_code, ..."
        hint = "write the frame with all its columns: t.events().to_csv(...)"
        notes.append(
            Problem(f"column {missing[0]} is missing", file, "line 1", given, allowed, hint)
        )
        return pd.DataFrame(columns=list(COLUMNS))
    frame = frame.assign(line=np.arange(2, len(frame) + 2))
    told = frame[frame["kind"].isin(_TYPES)]
    empty = pd.Series("", index=told.index)

    def text(name: str) -> "pd.Series[str]":
        return told.get(name, empty)

    created_us = _moments_us(told, "scan_time", file, notes, due=True)
    outcome = text("outcome")
    ids = text("event_id").where(text("event_id") != "", told["line"].map("{}".format))
    again = outcome.isin(_SCANNED_AGAIN) | (text("slip") == "wrong_barcode")
    failed = again.astype(float).mask(outcome == _SCANNED_LATER, 2.0)
    found = pd.DataFrame({
        "id": ids,
        "created_us": created_us,
        "is_scan": told["kind"] == "scan",
        "device": told["device"],
        "gateway": text("gateway_id"),
        "code": text("scan_code"),
        "symbology": text("symbology"),
        "trigger_s": _numbers(told, "trigger_s", file, notes),
        "beep_us": _moments_us(told, "beep_time", file, notes),
        "visible_us": _moments_us(told, "visible_time", file, notes),
        "arrived_us": _moments_us(told, "time", file, notes),
        "wait_us": _numbers(told, "wait_ms", file, notes) * _MS,
        "failed": failed if "outcome" in told else math.nan,
        "slip": text("slip"),
    })  # fmt: skip
    if not len(found) and not notes:
        notes.append(Problem("no scan in it", file, "kind", allowed=" or ".join(_TYPES)))
    sound = found[found["created_us"].notna()]
    return sound.astype({"created_us": "int64"})


def _moments_us(
    frame: pd.DataFrame, name: str, file: str, notes: Notes, *, due: bool = False
) -> "pd.Series[float]":
    """Return moments since 1970, NaN where a cell is empty; note those that make no sense [us]."""
    if name not in frame:
        return pd.Series(math.nan, index=frame.index)
    cells = frame[name]
    times = pd.to_datetime(cells.where(cells != ""), utc=True, errors="coerce", format="ISO8601")
    wrong = times.isna() & ((cells != "") | due)
    for line, cell in zip(frame["line"][wrong], cells[wrong], strict=True):
        allowed = "a time with its zone, like 2026-03-02 06:00:00+01:00"
        notes.append(Problem("no moment", file, f"line {line}, {name}", str(cell), allowed))
    stamps = times.dt.tz_localize(None).to_numpy("datetime64[us]").astype("int64").astype(float)
    return pd.Series(np.where(times.isna(), np.nan, stamps), index=frame.index)


def _numbers(frame: pd.DataFrame, name: str, file: str, notes: Notes) -> "pd.Series[float]":
    """Return numbers, NaN where a cell is empty; note those that make no sense."""
    if name not in frame:
        return pd.Series(math.nan, index=frame.index)
    cells = frame[name]
    numbers = pd.to_numeric(cells.where(cells != ""), errors="coerce")
    wrong = (numbers.isna() | (numbers < 0) | np.isinf(numbers)) & (cells != "")
    for line, cell in zip(frame["line"][wrong], cells[wrong], strict=True):
        allowed = "a number, at least 0"
        notes.append(Problem("no number", file, f"line {line}, {name}", str(cell), allowed))
    return numbers.astype(float)
