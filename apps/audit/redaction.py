"""What may be written down of what somebody gave: no secret, nothing endless, nothing a database refuses."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

SECRET = re.compile(
    r"pass|secret|token|credential|private|api.?key|authorization|cookie|url|webhook|samlresponse|code$|^(key|sign|address)$",
    re.IGNORECASE,
)
"""Names whose values are never kept. Addresses of chat rooms and webhooks hold their secret."""
OPTIONS = ("secret", "token", "password")
"""Options of our commands that hold one: the command line takes them cut short, as `--sec`."""
_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s]+@")
LEFT_OUT = frozenset({"csrfmiddlewaretoken"})
HIDDEN = "•••"
MOST_VALUES = 200
"""As many as a form may have: no field of one hides behind others."""
MOST_LONG = 40
MOST_TEXT, SHORT_TEXT = 300, 60
"""Letters that are kept of the first forty values, and of what follows them."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def shown(given: Mapping[str, Any]) -> dict[str, Any]:
    """Names and values as they may be kept; of what is cut off how much it was, and its SHA-256."""
    kept = [
        (_cleaned(str(name)), HIDDEN if SECRET.search(str(name)) else _cleaned(value))
        for name, value in given.items()
        if name not in LEFT_OUT
    ]
    told = {_cut(name, n): _cut(value, n) for n, (name, value) in enumerate(kept[:MOST_VALUES])}
    return told if len(kept) <= MOST_VALUES else told | {"…": _left_out(kept[MOST_VALUES:])}


def _cleaned(value: Any) -> Any:
    """Without secrets and without what a database refuses, whole."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value]
    if isinstance(value, Mapping):
        return shown(value)
    return _UNSTORABLE.sub("\ufffd", _CREDENTIALS.sub(f"{HIDDEN}@", str(value)))


def _cut(value: Any, place: int = 0) -> Any:
    """What is kept of a value that stands behind so many others."""
    most = MOST_TEXT if place < MOST_LONG else SHORT_TEXT
    if isinstance(value, list):
        told = [_cut(one, place + n) for n, one in enumerate(value[:MOST_VALUES])]
        return told if len(value) <= MOST_VALUES else [*told, f"… {_left_out(value[MOST_VALUES:])}"]
    if isinstance(value, str) and len(value) > most:
        return f"{value[:most]}… {_left_out(value[most:])}"
    return value


def _left_out(rest: Any) -> str:
    """How much was cut off, and what it was to whoever has it."""
    written = rest if isinstance(rest, str) else json.dumps(rest, ensure_ascii=False)
    return f"({len(rest)} more, SHA-256 {hashlib.sha256(written.encode()).hexdigest()})"


def arguments(given: list[str]) -> list[str]:
    """Words of a command line: what follows a secret option is hidden, and so is what stands behind its `=`."""
    told: list[str] = []
    for before, word in zip(["", *given], given, strict=False):
        name, equals, _ = word.partition("=")
        if equals and _is_secret(name):
            told.append(f"{_cut(_cleaned(name))}={HIDDEN}")
        elif before.startswith("-") and "=" not in before and _is_secret(before):
            told.append(HIDDEN)
        else:
            told.append(_cut(_cleaned(word)))
    return told


def _is_secret(name: str) -> bool:
    """Whether what follows a name is one; an option may be cut short."""
    cut = name.removeprefix("--") if name.startswith("--") else ""
    return bool(SECRET.search(name)) or bool(cut and any(option.startswith(cut) for option in OPTIONS))
