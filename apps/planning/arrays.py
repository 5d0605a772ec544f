"""What a planner reads, packed as bytes: numbers as arrays, the rest as JSON. The same input is the same bytes."""

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def pack(meta: Mapping[str, Any], **arrays: Array) -> bytes:
    """Numbers, dates as numbers, and plain JSON; no objects, so that nothing but data is ever read back."""
    out = io.BytesIO()
    told = json.dumps(meta, ensure_ascii=False, sort_keys=True).encode()
    kept: dict[str, Any] = {"meta": np.frombuffer(told, dtype=np.uint8), **arrays}
    np.savez_compressed(out, **kept)
    return out.getvalue()


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """The JSON and the arrays of packed bytes."""
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}
    return json.loads(arrays.pop("meta").tobytes()), arrays
