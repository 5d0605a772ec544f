"""The menu in a template."""

from django import template
from django.template import Context

from apps.dashboards import menu as menus
from apps.teams import access
from apps.teams.access import Somebody
from apps.teams.roles import Can

register = template.Library()


@register.simple_tag(takes_context=True)
def menu(context: Context) -> menus.Menu:
    """The menu, as it is offered to whoever is signed in."""
    request = context["request"]
    here = request.resolver_match.url_name if request.resolver_match else ""
    return menus.menu(here, menus.offered_to(request.user))


@register.simple_tag
def sees_nothing(user: Somebody) -> bool:
    """Whether somebody has no role that shows cost: the page where others begin refuses them too."""
    found = access.access_of(user)
    return found.teams(Can.SEE_COST) == frozenset() and not found.accounts()


@register.filter
def may(user: Somebody, can: str) -> bool:
    """Whether somebody may do something of the whole company, as `user|may:"manage_sources"`."""
    return access.may(user, Can(can))
