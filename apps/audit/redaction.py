"""What may be written down of what somebody gave: no secret, nothing endless, nothing a database refuses."""

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
MOST_TEXT, MOST_VALUES = 300, 40
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def shown(given: Mapping[str, Any]) -> dict[str, Any]:
    """Names and values as they may be kept, the first forty of them."""
    kept = [(str(name), value) for name, value in given.items() if name not in LEFT_OUT]
    told = {_text(name): HIDDEN if SECRET.search(name) else _value(value) for name, value in kept[:MOST_VALUES]}
    return told if len(kept) <= MOST_VALUES else told | {"…": len(kept) - MOST_VALUES}


def _value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple):
        return [_value(one) for one in value[:MOST_VALUES]]
    return _text(str(value))


def _text(text: str) -> str:
    cleaned = _UNSTORABLE.sub("\ufffd", _CREDENTIALS.sub(f"{HIDDEN}@", text))
    return cleaned if len(cleaned) <= MOST_TEXT else f"{cleaned[:MOST_TEXT]}…"


def arguments(given: list[str]) -> list[str]:
    """Words of a command line: what follows a secret option is hidden, and so is what stands behind its `=`."""
    told: list[str] = []
    for before, word in zip(["", *given], given, strict=False):
        name, equals, _ = word.partition("=")
        if equals and _is_secret(name):
            told.append(f"{_text(name)}={HIDDEN}")
        elif before.startswith("-") and "=" not in before and _is_secret(before):
            told.append(HIDDEN)
        else:
            told.append(_text(word))
    return told


def _is_secret(name: str) -> bool:
    """Whether what follows a name is one; an option may be cut short."""
    cut = name.removeprefix("--") if name.startswith("--") else ""
    return bool(SECRET.search(name)) or bool(cut and any(option.startswith(cut) for option in OPTIONS))
