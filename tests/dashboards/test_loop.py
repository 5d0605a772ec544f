"""The loop in a real browser: found, taken on, begun, done, and four weeks later verified on the ledger."""

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from tests.dashboards.test_browser import visit, wait_for_figures

__all__ = ["visit"]


@pytest.mark.parametrize(
    ("left", "state", "words"),
    [
        pytest.param(0.75, "saving verified", "Verified, a month", id="what saved a quarter"),
        pytest.param(1.0, "saving not verified", "Measured so far, a month", id="what did nothing"),
    ],
)
def test_a_recommendation_is_worked_until_its_saving_is_measured(visit: Any, left: float, state: str, words: str):
    from apps.operations.models import Recommendation, RecommendationStep
    from apps.savings import services
    from tests.operations.worlds import a_finding, recommend
    from tests.savings.ledgers import NOW, START, publish

    publish({("live", "OSS"): left})
    scope = {"team": "live", "service": "OSS"}
    recommend(a_finding("recordings", scope=scope, saving_per_month=Decimal(4000)), days=-70)
    one = Recommendation.objects.get()

    page = visit(f"/recommendations/{one.pk}/")
    for button in ("Accept", "Begin", "It is done"):
        page.get_by_role("button", name=button, exact=True).click()
        page.wait_for_load_state()
    one.refresh_from_db()
    assert one.state == "done"
    # Four weeks pass: what people did just now was done on the day on which the cost changed.
    day = datetime.combine(START, time(3), UTC)
    RecommendationStep.objects.filter(recommendation=one).exclude(by="").update(at=day)
    publish({("live", "OSS"): left})
    services.verify(now=NOW)

    page = visit("/savings/")
    assert set(wait_for_figures(page)) == {"yes"}
    page.get_by_role("link", name="Delete recordings").click()
    page.wait_for_load_state()
    assert set(wait_for_figures(page)) == {"yes"}
    told = page.inner_text("main")
    assert state in told
    assert words in told
    page.get_by_role("link", name="Delete recordings").click()
    page.wait_for_load_state()
    assert state in page.inner_text("main")
    assert "CostOps" in page.inner_text("main")
