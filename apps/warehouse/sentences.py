"""Sentences of findings and notices as they are kept, and as they are told in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from apps.finops.findings import Sentence


def kept(sentence: Sentence) -> dict[str, Any]:
    """A sentence as JSON."""
    return {"text": sentence.text, "values": {name: str(value) for name, value in sentence.values.items()}}


def told(text: str, values: Mapping[str, str]) -> str:
    """A sentence in the language that is active: translated as it stands, then its values filled in."""
    return gettext(text) % values if values else gettext(text)


def told_of(kept_sentence: Mapping[str, Any]) -> str:
    """A kept sentence, told."""
    return told(kept_sentence["text"], kept_sentence["values"])
