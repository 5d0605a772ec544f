"""The look of the mail. Mailboxes drop style sheets, so every element carries its own style, from this one table."""

from collections.abc import Mapping, Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.reports.papers.paper import Cell, Column

register = template.Library()

_FONT = "font-family:-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif"
_NUMBERS = "font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap"
STYLES = {
    "page": f"margin:0;padding:0;background:#f3f5f8;color:#1f2733;{_FONT};font-size:15px;line-height:1.5",
    "frame": "width:100%;table-layout:fixed;background:#f3f5f8;border-collapse:collapse",
    "outside": "padding:24px 2%",
    "sheet": "width:100%;max-width:640px;margin:0 auto;background:#ffffff;border-radius:10px;border-collapse:collapse;"
    "table-layout:fixed",
    "inside": "padding:28px 4.5% 24px",
    "company": "margin:0;color:#6b7585;font-size:13px",
    "title": "margin:2px 0 0;font-size:22px;line-height:1.3;font-weight:650",
    "period": "margin:2px 0 20px;color:#6b7585;font-size:14px",
    "notice": "margin:0 0 20px;padding:10px 14px;background:#fdf3dd;border-radius:6px;font-size:14px",
    "total": "margin:0;font-size:32px;line-height:1.2;font-weight:650;font-variant-numeric:tabular-nums",
    "currency": "font-size:16px;font-weight:400;color:#6b7585",
    "sentence": "margin:6px 0 14px;font-size:15px",
    "picture": "display:block;width:100%;max-width:584px;height:auto;border:0;margin:0 0 18px",
    "heading": "margin:22px 0 6px;font-size:15px;font-weight:650",
    "scroll": "overflow-x:auto",
    "table": "width:100%;border-collapse:collapse;font-size:14px",
    "head": "padding:4px 0;text-align:left;font-weight:400;font-size:12px;color:#6b7585",
    "head-word": "padding:4px 0 4px 12px;text-align:left;font-weight:400;font-size:12px;color:#6b7585",
    "head-number": "padding:4px 0 4px 12px;text-align:right;font-weight:400;font-size:12px;color:#6b7585",
    "name": "padding:6px 0;border-top:1px solid #e8ecf2;min-width:5em;overflow-wrap:anywhere",
    "word": "padding:6px 0 6px 12px;border-top:1px solid #e8ecf2;word-break:keep-all",
    "number": f"padding:6px 0 6px 12px;border-top:1px solid #e8ecf2;{_NUMBERS}",
    "link": "color:inherit;text-decoration:none",
    "go": "color:#2f6fd0;text-decoration:none",
    "small": "font-size:12px;color:#6b7585",
    "new": "white-space:nowrap;padding:0 6px;background:#fdf3dd;border-radius:8px;font-size:12px;color:#7a5200",
    "hint": "margin:20px 0 0;font-size:14px;color:#3c4656",
    "action": "margin:24px 0 0",
    "button": "display:inline-block;padding:10px 18px;background:#2f6fd0;color:#ffffff;border-radius:6px;"
    "text-decoration:none;font-weight:600",
    "facts": "margin:24px 0 0;padding:14px 0 0;border-top:1px solid #e8ecf2;color:#6b7585;font-size:12px",
}


TOTAL = ";font-weight:650;border-top:1px solid #6b7585"
"""Besides, of the row that adds up."""


@register.simple_tag
def css(name: str, total: str = "") -> SafeString:
    """The style attribute of an element; with `total`, of the row that adds up."""
    return format_html('style="{}"', STYLES[name] + (TOTAL if total else ""))


@register.simple_tag
def source(sources: Mapping[str, str], name: str) -> str:
    """Where the picture of a name is."""
    return sources[name]


@register.filter
def beside(row: Sequence[Cell], columns: Sequence[Column]) -> list[tuple[Column, Cell]]:
    """The cells of a row, each with its column."""
    return list(zip(columns, row, strict=True))
