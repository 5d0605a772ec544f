"""Names from bills and clusters as one segment of an address, whatever they contain."""

_ESCAPES = {"~": "~0", "/": "~1", "\\": "~2", "\n": "~3", "\r": "~4"}
_SPECIAL = {"": "~", ".": "~5", "..": "~6"}


class NameConverter:
    """Slashes and the like are escaped with `~`, as JSON Pointer does; `~` alone is the empty name (does not apply)."""

    regex = r"[^/\n\r]+"

    def to_python(self, value: str) -> str:
        for text, escaped in _SPECIAL.items():
            if value == escaped:
                return text
        for text, escaped in reversed(_ESCAPES.items()):
            value = value.replace(escaped, text)
        return value

    def to_url(self, value: str) -> str:
        if value in _SPECIAL:
            return _SPECIAL[value]
        for text, escaped in _ESCAPES.items():
            value = value.replace(text, escaped)
        return value
