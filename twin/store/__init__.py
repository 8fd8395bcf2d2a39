"""What a twin remembers: rows in memory, SQLite when it is asked for."""

from twin.store.database import Connection, Content, Saved, in_memory, read, write

__all__ = ["Connection", "Content", "Saved", "in_memory", "read", "write"]
