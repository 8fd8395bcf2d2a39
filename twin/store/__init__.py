"""What a twin remembers: rows in memory, SQLite when it is asked for."""

from twin.store.database import Connection, Database
from twin.store.kept import KeptRows
from twin.store.saving import Content, Entry, Saved, in_memory, read, save, write

__all__ = [
    "Connection",
    "Content",
    "Database",
    "Entry",
    "KeptRows",
    "Saved",
    "in_memory",
    "read",
    "save",
    "write",
]
