"""The part of a font that PDFs are drawn with: made once of common letters, each time of rare ones."""

from pathlib import Path
from typing import Any

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.TupleVariation import TupleVariation

from apps.reports.fonts import Face

RARE = "\U00020000"


@pytest.fixture
def of_all_weights(tmp_path: Path) -> Path:
    """A font with the letters A and a rare one, a square that grows with its weight."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "A", "rare"])
    builder.setupCharacterMap({ord("A"): "A", ord(RARE): "rare"})
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 500), (500, 500), (500, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "A": square, "rare": square})
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", "A", "rare"), (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Test", "styleName": "Regular"})
    builder.setupFvar([("wght", 100, 400, 900, "Weight")], [])
    wider = [(0, 0), (0, 0), (300, 0), (300, 0), (0, 0), (0, 0), (0, 0), (0, 0)]
    builder.setupGvar({name: [TupleVariation({"wght": (0, 1, 1)}, wider)] for name in ("A", "rare")})
    builder.setupOS2()
    builder.setupPost()
    path = tmp_path / "All.ttf"
    builder.save(path)
    return path


def _width(file: Path, letter: str) -> int:
    with TTFont(file) as font:
        assert "fvar" not in font, "one weight"
        return int(font["glyf"][font.getBestCmap()[ord(letter)]].xMax)


def test_common_letters_of_a_weight_are_made_once(of_all_weights: Path, tmp_path: Path, settings: Any) -> None:
    settings.COSTOPS_FONTS = tmp_path / "kept"
    regular, bold = (Face(of_all_weights, weight=weight).file("A", tmp_path)[0] for weight in (400, 900))
    assert {regular.parent, bold.parent} == {tmp_path / "kept"}
    assert (_width(regular, "A"), _width(bold, "A")) == (500, 800)
    made = regular.stat().st_mtime_ns
    assert Face(of_all_weights, weight=400).file("A", tmp_path)[0].stat().st_mtime_ns == made
    assert sorted((tmp_path / "kept").iterdir()) == sorted([regular, bold]), "nothing half made is left"


def test_rare_letters_are_made_where_they_are_wanted(of_all_weights: Path, tmp_path: Path, settings: Any) -> None:
    settings.COSTOPS_FONTS = tmp_path / "kept"
    file, number = Face(of_all_weights, weight=900).file(f"A{RARE}", tmp_path)
    assert (file, number, _width(file, RARE)) == (tmp_path / "900.ttf", 0, 800)
    assert not (tmp_path / "kept").exists()
