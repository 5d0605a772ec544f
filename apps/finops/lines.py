"""Lines that a terminal shows and does not obey, whoever wrote what is in them."""

import re

_COMMANDING = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def without_orders(text: str) -> str:
    """The text with a � for every control character and every mark that reorders text."""
    return _COMMANDING.sub("\ufffd", text)
