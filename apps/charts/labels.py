"""Text from bills and clusters, made safe to show: it is hostile until proven otherwise."""

import unicodedata

MAX_LENGTH = 120
_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FORMAT = {ord(mark): "\ufffd" for mark in _BIDI}
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def plain(text: str, *, limit: int = MAX_LENGTH) -> str:
    """One line of at most `limit` characters: controls dropped, marks that reorder text replaced by a visible one."""
    composed = unicodedata.normalize("NFC", text).translate(_FORMAT)
    kept = "".join(mark for mark in composed if unicodedata.category(mark) not in {"Cc", "Cs", "Zl", "Zp"})
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def label(text: str) -> str:
    """`plain`, with nothing plotly.js would take for markup or for a hover template."""
    return plain(text).translate(_ENTITIES).replace("%{", "%\u200b{")
