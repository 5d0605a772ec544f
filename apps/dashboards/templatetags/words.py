"""Words for what is stored as keys: kinds, states, cost bases."""

from django import template

from apps.dashboards import faults, telling, words
from apps.dashboards.asking import METRICS

register = template.Library()


@register.filter
def metric(key: str) -> str:
    """The name of a cost basis."""
    return str(METRICS.get(key, key))


@register.filter
def in_words(refused: str) -> str:
    """Why something was refused, as the reader reads it."""
    return faults.said(refused)


@register.filter
def said(message: str) -> str:
    """What is told of data in English, as the reader reads it."""
    return telling.said(message)


@register.filter
def status(key: str) -> str:
    """The status of a publication."""
    return str(words.STATUSES.get(key, key))


@register.filter
def status_meaning(key: str) -> str:
    """What that status means."""
    return str(words.STATUS_MEANINGS.get(key, ""))


@register.filter
def step_title(key: str) -> str:
    """A step of the pipeline as people say it."""
    return words.step_title(key)


@register.filter
def kind_meaning(key: str) -> str:
    """What a kind of cost is."""
    return str(words.KIND_MEANINGS.get(key, ""))
