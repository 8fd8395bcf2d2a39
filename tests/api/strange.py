"""What nobody should send: bodies, values, names and methods that no operation knows."""

from hypothesis import settings
from hypothesis import strategies as st

LAW = settings(derandomize=True, deadline=None, database=None, max_examples=60)
BODIES = (
    b"", b"{", b"}", b"null", b"[]", b'"text"', b"1", b"{}", b"\x00", b"\xff\xfe{}", b'{"a":}',
    b"{'a': 1}", b'{"usecase": "\\ud800"}', b"[" * 100_000, b'{"a":' * 50_000, b"\xef\xbb\xbf{}",
)  # fmt: skip
"""Bodies that are no object with the fields of any operation."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=9), below),
    max_leaves=6,
)
NAMES = (
    "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2F", "%00", "%", "%zz", "%ff%fe", "%C3%A4", "ä",
    "%F0%9F%A6%84", "'%20OR%20'1'='1", "%25", "*", "null", "-1", " ", "+", "%0d%0aX:1", ";", "",
    "x" * 100_000,
)  # fmt: skip
"""Ids that nothing has, as they stand in a path."""
METHODS = ("", "get", "TRACE", "CONNECT", "GET ", "X" * 10_000, "\u00e4")
