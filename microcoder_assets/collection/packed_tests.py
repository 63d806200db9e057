"""LiveCodeBench's private tests: JSON, pickled as one string, zlib, base64. Read without unpickling."""

from __future__ import annotations

import base64
import binascii
import io
import json
import pickletools
import zlib
from typing import Any

MAX_UNPACKED_BYTES = 512 << 20
"""More than this from one record is refused as a decompression bomb. Ours."""

_STRINGS = ("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8")
_FRAMING = ("PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT")


class PackedTestsError(ValueError):
    """Private tests that are not packed as upstream packs them; the message says how they differ."""


def unpack_tests(text: str, max_bytes: int = MAX_UNPACKED_BYTES) -> list[dict[str, Any]]:
    """The tests: plain JSON, or packed. Raises PackedTestsError, also for a pickle that is more than one string."""
    try:
        packed = text.lstrip()[:1] != "["
        tests = json.loads(pickled_string(_inflate(text, max_bytes)) if packed else text)
    except (ValueError, RecursionError) as error:
        raise PackedTestsError(f"private tests cannot be read: {error}") from error
    if not isinstance(tests, list) or not all(isinstance(test, dict) for test in tests):
        raise PackedTestsError("private tests must be a JSON list of objects")
    return tests


def pickled_string(data: bytes) -> str:
    """The value of a pickle that holds exactly one Unicode string. Nothing is executed: opcodes are only listed.

    Raises ValueError naming the first opcode that a pickled string does not have.
    """
    stream = io.BytesIO(data)
    found: str | None = None
    for opcode, argument, position in pickletools.genops(stream):
        if opcode.name in _STRINGS and found is None:
            found = argument
        elif opcode.name == "STOP":
            break
        elif opcode.name not in _FRAMING:
            raise ValueError(f"the pickle holds opcode {opcode.name} at byte {position}, not one string")
    if found is None or stream.read(1):
        raise ValueError("the pickle does not hold exactly one string")
    return found


def _inflate(text: str, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(base64.b64decode(text, validate=True), max_bytes + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"not base64 of zlib: {error}") from error
    if len(data) > max_bytes:
        raise ValueError(f"they unpack to more than {max_bytes >> 20} MiB")
    if not inflater.eof:
        raise ValueError("the zlib stream breaks off")
    return data
