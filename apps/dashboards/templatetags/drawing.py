"""Parts of pages that are drawn once."""

from typing import Any

from django import template

from apps.dashboards.drawn import draw

register = template.Library()


@register.simple_tag
def drawn(name: str, **given: Any) -> str:
    """`{% include %}` of a part that is given all it says: `{% drawn "dashboards/parts/movers.html" lines=… %}`."""
    return draw(name, given)
