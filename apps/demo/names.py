"""Names that look like a cloud's, made from whole numbers: the same numbers give the same name."""

import numpy as np
import numpy.typing as npt

from apps.demo.timetable import Ints

_DIGITS = np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)


def mix(*parts: Ints | int) -> npt.NDArray[np.uint64]:
    """Scramble whole numbers, element by element, into one evenly spread 64-bit number (splitmix64)."""
    state = np.array([0x9E3779B97F4A7C15], dtype=np.uint64)
    with np.errstate(over="ignore"):
        for part in parts:
            state = np.asarray(part, dtype=np.int64).astype(np.uint64) + state
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = (state ^ (state >> np.uint64(31))) + np.uint64(0x9E3779B97F4A7C15)
    return state


def codes(length: int, *parts: Ints | int) -> list[str]:
    """One code of `length` small letters and digits for each element of `parts`."""
    value = mix(*parts)
    letters = np.empty((len(value), length), dtype=np.uint8)
    for place in range(length):
        if place and place % 10 == 0:
            value = mix(value.view(np.int64), place)
        letters[:, place] = _DIGITS[value % np.uint64(36)]
        value //= np.uint64(36)
    return [text.decode() for text in letters.view(f"S{length}").ravel().tolist()]
