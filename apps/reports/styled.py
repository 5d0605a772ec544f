"""A letter as a page: mailboxes need a style on each element, so this one answer may write those, named by hash."""

import base64
import hashlib
import re
from html import unescape

from django.http import HttpResponse

_STYLE = re.compile(r'\sstyle="([^"]*)"')


def page(html: str) -> HttpResponse:
    """An answer with the HTML of a letter, whose own styles are the only ones that may be written inline."""
    response = HttpResponse(html)
    written = sorted({unescape(found) for found in _STYLE.findall(html)})
    # Where django-csp looks for what one answer may besides.
    response._csp_update = {"style-src-attr": ["'unsafe-hashes'", *map(_hash, written)]}  # type: ignore[attr-defined]
    return response


def _hash(style: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
