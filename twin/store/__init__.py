"""What a twin remembers: rows in memory, SQLite when it is asked for."""

from twin.store.database import Content, Saved, in_memory, read, write

__all__ = ["Content", "Saved", "in_memory", "read", "write"]
