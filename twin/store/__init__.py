"""What a twin remembers: rows in memory, SQLite when it is asked for."""

from twin.store.database import Connection, Database
from twin.store.frozen import FrozenError, freeze, makers, named, thaw
from twin.store.kept import KeptRows
from twin.store.saving import Content, Entry, Saved, commands, in_memory, read, save, write
from twin.store.snapshots import Snapshot, keep_snapshot, read_snapshot

__all__ = [
    "Connection",
    "Content",
    "Database",
    "Entry",
    "FrozenError",
    "KeptRows",
    "Saved",
    "Snapshot",
    "commands",
    "freeze",
    "in_memory",
    "keep_snapshot",
    "makers",
    "named",
    "read",
    "read_snapshot",
    "save",
    "thaw",
    "write",
]
