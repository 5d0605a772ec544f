"""Server time of every page and of the figures they draw, over thirteen months of 120 teams and 1,500 namespaces."""

import time

from bench import company
from bench.measure import bench_home, p95, report, told_by_child

ROUNDS = 12
PAGES = (
    "/",
    "/teams/team-007/",
    "/teams/team-007/namespaces/online/ns-7/",
    "/efficiency/?by=namespace",
    "/search/suggestions/?q=ns-7",
    "/runs/",
    "/sources/",
    "/reconciliation/",
    "/publications/",
    "/figures/overview/team/",
    "/figures/teams/team-007/kind/",
)


def measure() -> dict[str, object]:
    """Milliseconds by page: p95 over rounds with the answers already asked once (as the second reader finds them), and the first."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(User.objects.get(username="bench"))
    floor = [_timed(Client(), "/login/") for _ in range(ROUNDS)]
    first = {page: _timed(client, page) for page in PAGES}
    again = {page: [_timed(client, page) for _ in range(ROUNDS)] for page in PAGES}
    every = [taken for times in again.values() for taken in times] + list(first.values())[1:]
    return {
        "floor_p95_ms": p95(floor[1:]),
        "p95_ms": p95(every),
        "first_ms": {page: round(taken, 1) for page, taken in first.items()},
        "by_page_p95_ms": {page: round(p95(times), 1) for page, times in again.items()},
    }


def _timed(client: "Client", page: str) -> float:  # type: ignore[name-defined]  # noqa: F821  # loaded after the settings
    started = time.perf_counter()
    answer = client.get(page)
    if answer.status_code != 200:
        raise RuntimeError(f"{page} answered {answer.status_code}")
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    bench_home("company")
    told_by_child("company", company.build)
    measured = told_by_child("company", measure)
    report(
        "pages",
        {
            "floor": "the login page, which asks nothing",
            **measured,
            "ratio": measured["p95_ms"] / measured["floor_p95_ms"],
        },
        goal={"p95_ms": 250},
    )
