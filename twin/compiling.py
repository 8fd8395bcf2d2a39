"""The one door to numba: marks rules and engines for compilation and keeps what was compiled.

A rule is written once and runs in two ways: compiled, or as the same Python (the environment
variable ``NUMBA_DISABLE_JIT=1`` turns the compiler off for the whole process).

numba's cache looks only at the file of the function it keeps, not at the files of what that
function calls. So the folder of the cache is named by a digest of every source that may hold
compiled code, of the versions and of the processor: a changed rule finds an empty folder.
"""

import hashlib
import os
import platform
import shutil
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite.binding
import numba
import numpy as np
import platformdirs
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.types.misc import unliteral
from numba.extending import intrinsic

PACKAGE = Path(__file__).resolve().parent
COMPILED = not numba.config.DISABLE_JIT
"""True when rules run compiled, False when they run as plain Python."""

ROOMS = ("compiling.py", "arrays", "draws", "floor", "mesh", "analysis")
"""What the digest covers, and so the only places where ``rule`` may be used."""

_KEPT_FOLDERS = 8
_CACHE_LINE_BYTES = 64
_NARROW = (types.int8, types.int16, types.int32, types.uint8, types.uint16, types.uint32)

F = TypeVar("F", bound=Callable[..., Any])

_SETTLED: dict[Hashable, Any] = {}
"""What ``settled`` found; a sweep opens thousands of sites of the same types."""


def sources() -> list[Path]:
    """Return every file that may hold compiled code, in a fixed order."""
    rooms = (PACKAGE / room for room in ROOMS)
    files = (path for room in rooms for path in ([room] if room.is_file() else room.rglob("*.py")))
    return sorted(files)


def cache_name() -> str:
    """Return the digest of sources, versions and processor that names the cache folder."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    machine = (
        platform.python_version(),
        numba.__version__,
        llvmlite.binding.get_host_cpu_name(),
        llvmlite.binding.get_host_cpu_features().flatten(),
    )
    digest.update(repr(machine).encode())
    return digest.hexdigest()[:24]


def _cache_folder() -> Path | None:
    """Return the folder for this digest, or None where the disk refuses one."""
    folder = Path(platformdirs.user_cache_dir("twin", appauthor=False)) / "compiled" / cache_name()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.touch()
        if not os.access(folder, os.W_OK):
            return None  # numba would turn to __pycache__, which no digest names
        _forget_old(folder.parent)
    except OSError:
        return None
    return folder


def _forget_old(parent: Path) -> None:
    """Delete the folders of long-gone sources, so that editing does not fill the disk."""
    by_age = sorted(parent.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for old in by_age[_KEPT_FOLDERS:]:
        shutil.rmtree(old, ignore_errors=True)


_FOLDER = _cache_folder() if COMPILED else None


def is_cold() -> bool:
    """Say whether nothing of these sources was compiled yet, so that the first run has to."""
    return COMPILED and (_FOLDER is None or not any(_FOLDER.iterdir()))


def rule(function: F) -> F:
    """Compile a function on its first call, or leave it plain when the compiler is off.

    Raises
    ------
    AssertionError
        The function stands in a file that the cache digest does not cover.
    """
    return _compiled(function)


def inlined_rule(function: F) -> F:
    """Compile like ``rule``, and put the body wherever compiled code calls it.

    For what is tiny or called in one hot place: in the floor's inner loop the calls themselves
    took a third of the time. Not for everything: copies of large functions slow it down again.
    """
    return _compiled(function, inline=True)


def part(function: F) -> F:
    """Compile into the rules that call it: Python cannot call it, and it is not kept by itself.

    For the inside of engines: the doors to Python that numba would build and keep for each took a
    quarter of the time to compile them.
    """
    return _compiled(function, is_part=True)


def inlined_part(function: F) -> F:
    """Compile like ``part``, and put the body wherever compiled code calls it."""
    return _compiled(function, inline=True, is_part=True)


def settled(function: F, *arguments: object) -> F:
    """Return a rule for arguments of the same types as these.

    It does not look at their types again, which takes longer than many a rule where arguments are
    arrays of records. Python without the compiler gets the rule itself.
    """
    if not COMPILED:
        return function
    key = function, *map(_kind, arguments)
    if key not in _SETTLED:
        rule_of: Any = function
        signature = tuple(map(numba.typeof, arguments))
        rule_of.compile(signature)
        _SETTLED[key] = rule_of.overloads[signature].entry_point
    return cast(F, _SETTLED[key])


def _kind(argument: object) -> Any:
    """Return what decides the type that numba sees, a hundred times quicker than its own look."""
    if isinstance(argument, np.ndarray):
        flags = argument.flags
        layout = flags.c_contiguous, flags.f_contiguous, flags.writeable, flags.aligned
        return argument.dtype, argument.ndim, *layout
    if isinstance(argument, tuple):
        return type(argument), *map(_kind, argument)
    return type(argument)


def _compiled(function: F, *, inline: bool = False, is_part: bool = False) -> F:
    """Compile a function, its cache in our folder."""
    source = Path(function.__code__.co_filename).resolve()
    if source.is_relative_to(PACKAGE):
        room = source.relative_to(PACKAGE).parts[0]
        assert room in ROOMS, f"{source}: compiled code outside {ROOMS} could be served stale"
    if not COMPILED:
        return function
    # Rules allocate nothing, so numba's reference counting (_nrt) is left out: it would touch
    # the counter of every array at every call.
    compiler = numba.njit(
        cache=_FOLDER is not None and not is_part,
        error_model="numpy",
        forceinline=inline,
        no_cpython_wrapper=is_part,
        _nrt=False,
    )
    before = numba.config.CACHE_DIR
    # numba asks for the folder while it decorates; other users of numba keep their own.
    numba.config.CACHE_DIR = str(_FOLDER or before)
    try:
        return cast(F, _once_for_all_numbers(compiler(function)))
    finally:
        numba.config.CACHE_DIR = before


def _once_for_all_numbers(compiled: Any) -> Any:
    """Let calls with different constants, or integers of different width, share a compilation.

    numba would compile a rule anew for each constant that it is called with: the hash of an
    address two dozen times, one for each stream. LLVM sees the constants when it inlines.
    """
    template_of = compiled.get_call_template

    def get_call_template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        return template_of(tuple(map(_widest, args)), {k: _widest(v) for k, v in kws.items()})

    compiled.get_call_template = get_call_template
    return compiled


def _widest(kind: Any) -> Any:
    """Return the type of a constant without its value, of an integer with 64 bits."""
    plain = unliteral(kind)
    return types.int64 if plain in _NARROW else plain


def _prefetch_type(_context: Any, array: Any, index: Any) -> tuple[Any, Callable[..., Any]]:
    """Tell numba the types of ``prefetch`` and how to write it."""
    return types.void(array, index), _write_prefetch


def _write_prefetch(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Write one prefetch instruction for each cache line of a record."""
    kind = signature.args[0]
    array = context.make_array(kind)(context, builder, arguments[0])
    found = cgutils.get_item_pointer(context, builder, kind, array, arguments[1:])
    byte, number = ir.IntType(8), ir.IntType(32)
    first = builder.bitcast(found, byte.as_pointer())
    fetch = builder.module.declare_intrinsic(
        "llvm.prefetch", [byte.as_pointer()],
        ir.FunctionType(ir.VoidType(), [byte.as_pointer(), number, number, number]),
    )  # fmt: skip
    to_write, keep, data = number(1), number(3), number(1)
    for offset in range(0, kind.dtype.bitwidth // 8, _CACHE_LINE_BYTES):
        place = builder.gep(first, [number(offset)])
        builder.call(fetch, [place, to_write, keep, data])
    return context.get_dummy_value()


def _no_prefetch(array: Any, index: int) -> None:
    """Do nothing: plain Python has no hand in the cache."""


prefetch = intrinsic(_prefetch_type) if COMPILED else _no_prefetch
"""``prefetch(array, index)`` brings an item towards the processor; it need not exist."""
