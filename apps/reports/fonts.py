"""The letters of a PDF: a font of this machine that draws Chinese, one of a package, or Latin letters alone."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from django.conf import settings

from apps.finops.errors import CostOpsError

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "/System/Library/Fonts", "C:/Windows/Fonts")
INSTALLED: tuple[tuple[str, str, str], ...] = (
    ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc", "SC"),
    ("NotoSansCJKsc-Regular.otf", "NotoSansCJKsc-Bold.otf", ""),
    ("NotoSansSC-Regular.ttf", "NotoSansSC-Bold.ttf", ""),
    ("NotoSansSC-Regular.otf", "NotoSansSC-Bold.otf", ""),
    ("SourceHanSansSC-Regular.otf", "SourceHanSansSC-Bold.otf", ""),
    ("wqy-microhei.ttc", "wqy-microhei.ttc", ""),
)
"""Files for regular and bold, and how the face within a collection ends; the best first."""
PACKAGED = ("justmytype_intl_cjk", "fonts/ofl/notosanssc/NotoSansSC[wght].ttf")
"""A package that ships Noto Sans SC (OFL), for machines without fonts; one file for all weights."""
WEIGHTS = {"": 400, "B": 700}
LARGE = 4 << 20
"""Bytes of a font file above which a part of it is kept beside it."""


class NoFontForIt(CostOpsError):
    """No font here draws the letters of a text."""


@dataclass(frozen=True)
class Face:
    """A font file, and which of a collection it is; `weight` is None where the file has but one."""

    path: Path
    number: int = 0
    weight: int | None = None

    def letters(self) -> frozenset[int]:
        """The code points it draws."""
        return _letters(self.path, self.number)

    def file(self, letters: str, folder: Path) -> "tuple[Path, int]":
        """A file that draws these letters, and which of a collection it is. Of a large font a part is drawn with; rare
        letters of one of all weights take a file made in a folder, for them alone."""
        if (self.weight is not None or self.path.stat().st_size > LARGE) and _common().issuperset(letters):
            return self._kept(), 0
        if self.weight is None:
            return self.path, self.number
        path = folder / f"{self.weight}.ttf"
        self._save(letters, path)
        return path, 0

    def _kept(self) -> Path:
        """The letters of everyday Chinese and of Latin, kept from one report to the next: with a font of 65,000 letters
        every report would take five seconds, with one of all weights two."""
        told = self.path.stat()
        which = f"{self.number}-{self.weight or 'one'}-{told.st_size}-{told.st_mtime_ns}"
        path = Path(settings.COSTOPS_FONTS) / f"{self.path.stem}-{which}.otf"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            mine = path.with_suffix(f".{os.getpid()}")
            self._save("".join(_common()), mine)
            mine.replace(path)
        return path

    def _save(self, letters: str, path: Path) -> None:
        """Of these letters, in one weight."""
        from fontTools.subset import Options, Subsetter
        from fontTools.ttLib import TTFont
        from fontTools.varLib.instancer import instantiateVariableFont

        with TTFont(self.path, fontNumber=self.number, lazy=True) as font:
            subsetter = Subsetter(Options(layout_features=[]))
            subsetter.populate(text=letters)
            subsetter.subset(font)
            if self.weight is not None:
                instantiateVariableFont(font, {"wght": self.weight}, inplace=True)
            font.save(path)


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """The letters of GB 2312, and those of European languages."""
    rows = (bytes([row, cell]).decode("gb2312", "ignore") for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    return frozenset("".join(rows)) | {chr(point) for point in range(0x20, 0x250)} | frozenset("–—‘’“”…€×−·→≤≥")


Faces = dict[str, Face]
"""By style: regular at the empty name, bold at `B`."""


def faces_for(text: str) -> tuple[Faces, dict[int, str]]:
    """The faces that draw a text, and what stands for marks they have not: a Chinese font, else Latin letters if those
    are enough. Raises NoFontForIt rather than draw boxes for words."""
    faces = chinese() or latin()
    known = faces[""].letters()
    missing = {letter for letter in text if ord(letter) not in known and not letter.isspace()}
    if words := sorted(letter for letter in missing if letter.isalpha()):
        raise NoFontForIt(f"No font of this machine draws {''.join(words[:5])}.")
    return faces, {ord(letter): "?" for letter in missing}


def chinese() -> Faces:
    """The faces of a font that draws Chinese; none where there is no such font."""
    return _installed() or _packaged()


def latin() -> Faces:
    """The faces of DejaVu Sans, which matplotlib brings."""
    from matplotlib import get_data_path

    folder = Path(get_data_path()) / "fonts" / "ttf"
    return {"": Face(folder / "DejaVuSans.ttf"), "B": Face(folder / "DejaVuSans-Bold.ttf")}


@lru_cache(maxsize=1)
def _installed() -> Faces:
    found = _files()
    for regular, bold, ending in INSTALLED:
        if regular in found:
            return {
                "": Face(found[regular], _number(found[regular], ending)),
                "B": Face(found.get(bold, found[regular]), _number(found.get(bold, found[regular]), ending)),
            }
    return {}


def _files() -> dict[str, Path]:
    wanted = {name for pair in INSTALLED for name in pair[:2]}
    return {path.name: path for path in _all_files() if path.name in wanted}


def _all_files() -> Iterable[Path]:
    for folder in (*FOLDERS, str(Path.home() / ".fonts"), str(Path.home() / ".local/share/fonts")):
        yield from Path(folder).rglob("*.[to]t[cf]")


@lru_cache(maxsize=1)
def _packaged() -> Faces:
    try:
        path = Path(str(files(PACKAGED[0]) / PACKAGED[1]))
    except ModuleNotFoundError:
        return {}
    return {style: Face(path, weight=weight) for style, weight in WEIGHTS.items()} if path.exists() else {}


def _number(path: Path, ending: str) -> int:
    """Which face of a collection has a name that ends so."""
    from fontTools.ttLib import TTCollection

    if path.suffix != ".ttc" or not ending:
        return 0
    with TTCollection(path, lazy=True) as collection:
        names = [str(font["name"].getDebugName(1)) for font in collection]
    return next((number for number, name in enumerate(names) if name.endswith(ending)), 0)


@lru_cache(maxsize=8)
def _letters(path: Path, number: int) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=number, lazy=True) as font:
        return frozenset(font.getBestCmap())
