"""Text from bills and clusters, made safe to show: it is hostile until proven otherwise."""

import re
import unicodedata

MAX_LENGTH = 120
_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FORMAT = {ord(mark): "\ufffd" for mark in _BIDI} | dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"), "")
_JOINER = "\u200d"
_ACCENTS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_HEAP = re.compile(f"({_ACCENTS}{{4}}){_ACCENTS}+")
"""More accents than people write on one letter: a hundred cover the lines above and below."""
_LONGEST = 20
"""Of characters that are seen as one: a family of emoji has eleven."""
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def plain(text: str, *, limit: int = MAX_LENGTH) -> str:
    """One line of at most `limit` characters: what is invisible is dropped, marks that reorder text are replaced by a
    visible one, heaps of accents are taken down, and nothing is cut inside of what is seen as one character."""
    if text.isascii() and text.isprintable():
        return text if len(text) <= limit else f"{text[: limit - 1]}…"
    composed = unicodedata.normalize("NFC", text).translate(_FORMAT)
    shown = (mark for mark in composed if unicodedata.category(mark) not in {"Cc", "Cs", "Zl", "Zp"})
    kept = _HEAP.sub(r"\1", "".join(shown))
    return kept if len(kept) <= limit else f"{kept[: _place_to_cut(kept, limit - 1)]}…"


def _place_to_cut(text: str, most: int) -> int:
    """The last place up to `most` where no character is cut in two; `most` itself where there is none nearby."""
    for place in range(most, max(0, most - _LONGEST), -1):
        if not _continues(text[place]) and text[place - 1] != _JOINER:
            return place
    return most


def _continues(mark: str) -> bool:
    """Whether a character belongs to the one before it: accents, joiners, variants, skin tones."""
    return unicodedata.category(mark) in {"Mn", "Mc", "Me"} or mark == _JOINER or "\U0001f3fb" <= mark <= "\U0001f3ff"


def label(text: str) -> str:
    """`plain`, with nothing plotly.js would take for markup or for a hover template."""
    return plain(text).translate(_ENTITIES).replace("%{", "%\u200b{")
