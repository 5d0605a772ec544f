"""Credentials, encrypted at rest: sealed into one text of the database, opened only to reach what they are for.

The key is told from the installation's own secrets: each of COSTOPS_SECRETS_KEYS, the newest first, and last the secret
key. The first seals, every one opens; so a key is changed by putting a new one in front and sealing everything again.
"""

import base64
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_plus

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.finops.errors import CostOpsError

MOST_BYTES = 64 << 10
_LONG = 8
"""Fewer characters may be a common word."""


class SecretUnreadable(CostOpsError):
    """A secret that was given cannot be read, or a stored one cannot be opened."""


class Secrets(dict[str, str]):
    """Credentials by name. It never shows a value, whoever prints it."""

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self))})"

    __str__ = __repr__

    def hide(self, text: str) -> str:
        """A text that came from outside, without any of the values."""
        pieces = {piece for value in self.values() for piece in _pieces(value)}
        pieces = {piece for piece in pieces if len(piece) >= 4}
        for piece in sorted(pieces, key=len, reverse=True):
            text = text.replace(piece, "•••")
        cut = max((_cut(text, piece) for piece in pieces), default=0)
        return f"{text[:-cut]}•••" if cut else text


def _cut(text: str, piece: str) -> int:
    """How much of a piece stands at the end of a text that was cut inside of it."""
    return next((most for most in range(len(piece) - 1, _LONG - 1, -1) if text.endswith(piece[:most])), 0)


def _pieces(value: str) -> Iterator[str]:
    """A value, and what of it addresses and messages show alone: the key or signature inside a connection string, and
    of an address its path and query, which who is asked repeats ("Cannot POST /hooks/…")."""
    yield value
    if value.lower().startswith(("https://", "http://")):
        for piece in _pieces_of_address(value):
            yield from (piece, unquote(piece), unquote_plus(piece))
    for part in re.split("[;&?]", value):
        name, _, inner = part.partition("=")
        if name.lower() in ("accountkey", "sig"):
            yield from (inner, unquote(inner))


def _pieces_of_address(address: str) -> Iterator[str]:
    """Without its host, and without short words such as `data` or `2026`, which stand in many a sentence."""
    _, _, rest = address.partition("://")
    _, _, rest = rest.partition("/")
    path, _, query = rest.partition("?")
    values = (part.partition("=")[2] for part in query.split("&"))
    for piece in (path, query, *path.split("/"), *values):
        if len(piece) >= _LONG or (len(piece) >= 4 and re.search("[0-9]", piece) and re.search("[A-Za-z]", piece)):
            yield piece


def seal(secrets: Mapping[str, str]) -> str:
    """Encrypted text for the database; empty when there is nothing to hide."""
    return _box().encrypt(json.dumps(dict(secrets)).encode()).decode() if secrets else ""


def unseal(text: str, *, again: str = "manage.py source secret NAME --secret KEY=VALUE") -> Secrets:
    """The secrets of a sealed text; `again` is how one gives them anew."""
    if not text:
        return Secrets()
    try:
        return Secrets(json.loads(_box().decrypt(text.encode())))
    except (InvalidToken, ValueError) as error:
        raise SecretUnreadable(
            "These credentials were encrypted with another key. Put that key into COSTOPS_SECRETS_KEYS, "
            f"or give them again: {again}."
        ) from error


def seal_again(text: str) -> str:
    """The same secrets under the newest key."""
    return seal(unseal(text))


def seal_note(value: Any, purpose: str) -> str:
    """What JSON can write, for somebody to hand back unread: only `unseal_note` for the same purpose opens it."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return _box(purpose).encrypt(zlib.compress(written)).decode()


def unseal_note(text: str, purpose: str) -> Any:
    """What was sealed; ValueError for anything else."""
    try:
        return json.loads(zlib.decompress(_box(purpose).decrypt(text)).decode("utf-8", "surrogatepass"))
    except (InvalidToken, zlib.error) as error:
        raise ValueError(f"This was not sealed here for {purpose}.") from error


def given(pairs: Iterable[str]) -> Secrets:
    """`KEY=VALUE`, `KEY=@file` or `KEY=env:NAME` as they are typed; messages never repeat a value."""
    secrets = Secrets()
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key.replace("_", "").isalnum():
            raise SecretUnreadable("A secret is written KEY=VALUE, KEY=@file or KEY=env:NAME.")
        if key in secrets:
            raise SecretUnreadable(f"The secret {key!r} is given twice.")
        secrets[key] = _value(key, value)
    return secrets


def _value(key: str, value: str) -> str:
    if value.startswith("@"):
        value = _from_file(key, Path(value[1:]).expanduser())
    elif value.startswith("env:"):
        name = value.removeprefix("env:")
        if name not in os.environ:
            raise SecretUnreadable(f"{key}: there is no environment variable {name}.")
        value = os.environ[name]
    if not value:
        raise SecretUnreadable(f"{key}: the secret is empty.")
    return value


def _from_file(key: str, path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SecretUnreadable(f"{key}: {path} is too long for a secret.")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SecretUnreadable(f"{key}: {path} cannot be read ({reason}).") from error


def _box(purpose: str = "source secrets") -> MultiFernet:
    return MultiFernet([_key(secret, purpose) for secret in (*settings.COSTOPS_SECRETS_KEYS, settings.SECRET_KEY)])


def _key(secret: str, purpose: str) -> Fernet:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"costops {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))
