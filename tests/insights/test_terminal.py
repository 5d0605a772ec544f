"""What the terminal says below a list: which days were looked at, and which were left out."""

import io
from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from apps.insights.models import AnomalyRun, ForecastRun

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)


def said(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_the_terminal_says_that_days_are_too_few(db):
    AnomalyRun.objects.create(publication=1, model_version="1", inputs="1", end_day=None, created_at=NOW)
    assert "Publication 1, too few days to tell what is usual.\n" in said("anomalies", "list")


@pytest.mark.parametrize(("left_out", "told"), [(0, "publication 1.\n"), (2, "; 2 last days were incomplete.\n")])
def test_the_terminal_says_which_days_were_left_out(db, left_out, told):
    ForecastRun.objects.create(publication=1, model_version="1", inputs="1", dropped_days=left_out, created_at=NOW)
    assert said("forecast", "list").endswith(told)
