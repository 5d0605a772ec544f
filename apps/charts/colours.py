"""Colours that mean the same thing on every page: one per team, one per kind of cost."""

import hashlib
from collections.abc import Sequence

# Twenty hues in two tones, ordered so that neighbours in the list are far apart on the wheel. Every one keeps a
# contrast of at least 3:1 against the white and the dark ground, so a figure needs no second set for the dark theme.
PALETTE = (
    "#3b7dd8", "#d9662b", "#2a9d6f", "#b457c9", "#b8860b", "#d6457e", "#1f97a8", "#7a6ae0", "#7c8f1f", "#c9504f",
    "#4f8f3a", "#9a5fb5", "#c2762f", "#2f8fc4", "#cf5fa0", "#5a8f77", "#8f6bd1", "#a6792f", "#e0574a", "#5d7fb0",
    "#1d6fa5", "#b3541e", "#1f8a5f", "#9c46ad", "#977009", "#bd3a6a", "#1a8391", "#6658c7", "#6a7a1b", "#ad4343",
    "#437a31", "#864fa0", "#a56325", "#2779a8", "#b54f8a", "#4c7a65", "#7a59b8", "#8d6628", "#c4483c", "#4e6c98",
)  # fmt: skip
OTHERS = "#7d8794"
ESTIMATED = "#a3abb6"
RISE, FALL = "#c2762f", "#2a9d6f"

KINDS = {
    "direct": "#3b7dd8",
    "shared": "#8f6bd1",
    "idle": "#c2762f",
    "shared_idle": "#b8860b",
    "unallocated": "#7d8794",
}
"""Kind of cost → colour."""

KIND_PATTERNS = {"idle": "/", "shared_idle": "\\", "unallocated": "x"}
"""Kind of cost → hatching, for whoever cannot tell the colours apart: paid and unused, and nobody's."""


def by_order(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name by its place in a list that grows at its end: a new name changes nobody's colour."""
    return {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(names)}


def by_name(name: str) -> str:
    """A colour for a name that stands in no list: always the same one."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return PALETTE[int.from_bytes(digest[:4], "big") % len(PALETTE)]
