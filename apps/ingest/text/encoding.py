"""Text in the encodings that spreadsheets and portals leave behind, made UTF-8 before anything reads it."""

import codecs
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from apps.ingest.unpack import Member

_BLOCK = 1 << 22


def in_utf8(member: Member, folder: Path, encodings: Sequence[str]) -> Member:
    """The member as UTF-8, read in the first of these encodings that fits; unchanged where none does, or it is no text.

    What fits none is left for the careful reader, who says which byte of which line is not UTF-8.
    """
    if member.kind != "csv" or list(encodings) == ["utf-8"]:
        return member
    for encoding in encodings:
        target = folder / f"{member.path.name}.utf-8"
        if _transcode(member.path, encoding, target):
            return member if encoding == "utf-8" else replace(member, path=target)
    return member


def _transcode(origin: Path, encoding: str, target: Path) -> bool:
    """Write the text as UTF-8, when it is in this encoding; UTF-8 itself is only checked."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with origin.open("rb") as stream, target.open("w", encoding="utf-8", newline="") as out:
            while block := stream.read(_BLOCK):
                text = decoder.decode(block)
                if encoding != "utf-8":
                    out.write(text)
            out.write(decoder.decode(b"", final=True))
    except UnicodeDecodeError:
        target.unlink(missing_ok=True)
        return False
    return True
