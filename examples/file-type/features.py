#!/usr/bin/env python3
"""Turns a file into the request that Magika's v3 models take: the beginning and the end of its bytes.

    examples/file-type/features.py README.md | curl --data @- http://127.0.0.1:9000/v2/models/magika/infer
"""

import json
import sys
from pathlib import Path
from typing import Any

BLOCK = 4096  # how much of each end is looked at
SIZE = 1024  # how much of that is kept
PADDING = 256  # no byte has this value
SMALLEST = 8  # files below this never reach the model


def features(content: bytes) -> list[int] | None:
    """2048 numbers: the first 1024 bytes that are not white space, then the last; nothing for what is too small."""
    if len(content) < SMALLEST or not content.strip():
        return None
    beginning = content[:BLOCK].lstrip()[:SIZE]
    end = content[-BLOCK:].rstrip()[-SIZE:]
    return [*beginning, *[PADDING] * (SIZE - len(beginning)), *[PADDING] * (SIZE - len(end)), *end]


def request(content: bytes) -> dict[str, Any] | None:
    numbers = features(content)
    if numbers is None:
        return None
    return {"inputs": [{"name": "bytes", "datatype": "INT32", "shape": [1, len(numbers)], "data": numbers}]}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: features.py FILE")
    body = request(Path(sys.argv[1]).read_bytes())
    if body is None:
        sys.exit(f"error: {sys.argv[1]} has fewer than {SMALLEST} bytes, or only white space")
    print(json.dumps(body, separators=(",", ":")))
