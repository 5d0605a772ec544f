"""A paper as a PDF that looks like the mail: A4, page numbers, and what the numbers rest on at every foot."""

import io
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, XPos, YPos

from apps.reports.fonts import Faces, faces_for
from apps.reports.papers.paper import Block, Cell, Column, Figure, Heading, Notice, Paper, Table, Total, Words

INK, MUTED, BLUE, RULE, AMBER = (31, 39, 51), (107, 117, 133), (47, 111, 208), (216, 222, 232), (253, 243, 221)
MARGIN, FOOT = 18.0, 16.0
NUMBERS, NARROW = 28.0, 23.0
"""The width of columns of numbers and of short text, in millimetres: the first column has the rest."""
BODY, SMALL = 9.0, 7.5
LINE = 4.6
"""The height of a line of the body, in millimetres."""
TIGHT = 0.86
"""How high lines, and how wide pictures, are where all has to fit on one page."""
FAMILY = "letter"
_PIECE = re.compile(r"[\u3400-\u9fff][\u3001-\u3015\uff00-\uff60\u201d]*|[^\s\u3400-\u9fff]+\s*|\s+")
"""What stays on one line: a Chinese letter with the marks after it, or a word."""


def pdf(paper: Paper, *, created_at: datetime, language: str, new: str) -> bytes:
    """The paper as PDF; `new` marks what is new. Raises NoFontForIt where this machine has no letters for it."""
    drawn = "".join((*paper.words, new, "0123456789 /()"))
    faces, instead = faces_for(drawn)
    with tempfile.TemporaryDirectory() as folder:
        sheet = Sheet(paper, faces, drawn, instead, Path(folder))
        sheet.set_creation_date(created_at)
        sheet.set_lang(language)
        sheet.set_title(paper.subject)
        sheet.set_creator("CostOps")
        sheet.draw(new)
        return bytes(sheet.output())


class Sheet(FPDF):
    """Pages that are filled from top to bottom."""

    def __init__(self, paper: Paper, faces: Faces, drawn: str, instead: dict[int, str], folder: Path) -> None:
        super().__init__(format="A4")
        self._paper, self._instead = paper, instead
        self._line = LINE * (TIGHT if paper.is_one_page else 1)
        for style, face in faces.items():
            path, number = face.file(drawn, folder)
            self.add_font(FAMILY, style, path, collection_font_number=number)
        self.set_margins(MARGIN, MARGIN - 4, MARGIN)
        self.set_auto_page_break(auto=True, margin=FOOT + 3)
        self.add_page()

    def footer(self) -> None:
        self.set_y(-FOOT)
        self._pen(SMALL, MUTED)
        self.cell(self.epw / 2, LINE, self._told(self._paper.footing))
        self.cell(self.epw / 2, LINE, f"{self.page_no()} / {{nb}}", align=Align.R)

    def draw(self, new: str) -> None:
        paper = self._paper
        self._words(paper.company, SMALL + 1, MUTED)
        self._words(paper.title, 18, INK, bold=True, line=8.5)
        self._words(paper.period, BODY, MUTED)
        self.ln(3)
        for block in paper.blocks:
            self._draw(block, new)
        self.ln(5)
        self._rule()
        self.ln(2)
        for fact in paper.facts:
            self._words(fact, SMALL, MUTED, line=3.8)

    def _draw(self, block: Block, new: str) -> None:
        if isinstance(block, Heading):
            self._heading(block)
        elif isinstance(block, Notice):
            self.set_fill_color(*AMBER)
            self._words(block.text, BODY, INK, fill=True)
            self.ln(3)
        elif isinstance(block, Total):
            self._total(block)
        elif isinstance(block, Figure):
            width = self.epw * (TIGHT if self._paper.is_one_page else 1)
            self.image(io.BytesIO(self._paper.pictures[block.name]), w=width, alt_text=self._told(block.sentence))
            self.ln(2)
        elif isinstance(block, Table):
            self._table(block, new)
        elif isinstance(block, Words):
            self._sentence(block)

    def _heading(self, block: Heading) -> None:
        if self.will_page_break(22):
            self.add_page()
        self.ln(3.5)
        self._words(block.text, 10.5, INK, bold=True, line=6)

    def _total(self, block: Total) -> None:
        if self.will_page_break(90):
            self.add_page()
        self._pen(22, INK, bold=True)
        self.cell(self.get_string_width(block.amount) + 3, 11, block.amount, link=block.link)
        self._pen(12, MUTED)
        self.cell(0, 12.5, self._told(block.currency), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._words(block.sentence, BODY, INK)
        self.ln(2)

    def _sentence(self, block: Words) -> None:
        if block.text:
            self._words(block.text, BODY, INK)
        if block.link:
            self._pen(BODY, BLUE)
            text = self._told(block.link_text)
            self.cell(0, self._line, text, link=block.link, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(0.8)

    def _table(self, table: Table, new: str) -> None:
        widths = self._widths(table.columns)
        self._head(table.columns, widths)
        for row in table.rows:
            self._row(table.columns, row, widths, new)
        if table.total:
            self._row(table.columns, table.total, widths, new, bold=True)
        self.ln(2)

    def _widths(self, columns: Sequence[Column]) -> list[float]:
        others = [NUMBERS if column.is_number else NARROW for column in columns[1:]]
        if sum(others) > self.epw * 0.68:
            others = [width * self.epw * 0.68 / sum(others) for width in others]
        return [self.epw - sum(others), *others]

    def _head(self, columns: Sequence[Column], widths: Sequence[float]) -> None:
        self._pen(SMALL, MUTED)
        for column, width in zip(columns, widths, strict=True):
            align = Align.R if column.is_number else Align.L
            self.cell(width, self._line, self._told(column.title), align=align)
        self.ln(self._line)

    def _row(
        self, columns: Sequence[Column], row: Sequence[Cell], widths: Sequence[float], new: str, *, bold: bool = False
    ) -> None:
        """One row, whole on one page: every cell's lines, and its note in small below them."""
        self._pen(BODY, INK, bold=bold)
        texts = [
            self._wrapped(f"{cell.text} ({new})" if cell.is_new else cell.text, width)
            for cell, width in zip(row, widths, strict=True)
        ]
        lines = [self._lines(text, width) for text, width in zip(texts, widths, strict=True)]
        heights = [self._line * count + (3.6 if self._has(cell) else 0) for count, cell in zip(lines, row, strict=True)]
        if self.will_page_break(max(heights) + 1.6):
            self.add_page()
            self._head(columns, widths)
        self._rule()
        top, left = self.get_y() + 0.8, self.l_margin
        for column, cell, text, count, width in zip(columns, row, texts, lines, widths, strict=True):
            align = Align.R if column.is_number else Align.L
            self.set_xy(left, top)
            self._pen(BODY, BLUE if cell.link and not column.is_number else INK, bold=bold)
            self.multi_cell(width, self._line, text, align=align, link=cell.link)
            if self._has(cell):
                self.set_xy(left, top + self._line * count)
                self._pen(SMALL, MUTED)
                self.cell(width, 3.6, self._told(cell.note), align=align)
            left += width
        self.set_xy(self.l_margin, top + max(heights) + 0.8)

    def _wrapped(self, text: str, width: float) -> str:
        """The text in lines that fit: fpdf breaks at spaces only, which Chinese has none of."""
        lines, room = [""], width - 2 * self.c_margin - 0.1
        for piece in _PIECE.findall(self._told(text)):
            if lines[-1] and self.get_string_width((lines[-1] + piece).rstrip()) > room:
                lines.append("")
            lines[-1] += piece
        return "\n".join(line.rstrip() for line in lines)

    def _has(self, cell: Cell) -> bool:
        """Whether the note of a cell has a line: on one page there is no room for any."""
        return bool(cell.note) and not self._paper.is_one_page

    def _lines(self, text: str, width: float) -> int:
        told = self.multi_cell(width, self._line, text, dry_run=True, output=MethodReturnValue.LINES)
        return max(len(told), 1) if isinstance(told, list) else 1

    def _words(
        self, text: str, size: float, colour: tuple[int, int, int], *, bold: bool = False, line: float = 0,
        fill: bool = False,
    ) -> None:  # fmt: skip
        self._pen(size, colour, bold=bold)
        padding = 2 if fill else 0
        told = self._wrapped(text, self.epw - 2 * padding)
        self.multi_cell(
            0, line or self._line, told, align=Align.L, fill=fill, padding=padding, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def _told(self, text: str) -> str:
        return text.translate(self._instead)

    def _pen(self, size: float, colour: tuple[int, int, int], *, bold: bool = False) -> None:
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(*colour)

    def _rule(self) -> None:
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())
