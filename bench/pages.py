"""Server time of every page, of the parts they fetch and of every reading of the API, for thirteen months of 120 teams."""

import statistics
import time
from typing import Any

from bench import addresses, company
from bench.measure import bench_home, p95, report, told_by_child

ROUNDS = 5
FLOOR = "/login/"
GOALS = {"pages_p95_ms": 150, "api_p95_ms": 100}


def measure() -> dict[str, Any]:
    """Milliseconds, of the wall and of the processor, by address: with no answer known, and as the next reader finds it."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.COSTOPS_API_REQUESTS_PER_MINUTE = 0
    client = Client(headers={"accept-encoding": "br, gzip"})
    client.force_login(User.objects.get(username=company.NAME))
    signed_in = Client()
    signed_in.cookies = client.cookies
    plain = addresses.Kept(signed_in)
    pages = addresses.pages(plain)
    asked = {"pages": pages, "parts": addresses.parts(plain, pages), "api": addresses.of_the_api()}
    floor = [_timed(Client(), FLOOR)["ms"] for _ in range(ROUNDS)]
    told = {kind: {address: _told(client, address) for address in every} for kind, every in asked.items()}
    return {
        "floor_ms": round(statistics.median(floor[1:]), 1),
        **{f"{kind}_p95_ms": p95([one["warm_ms"] for one in found.values()]) for kind, found in told.items()},
        **{f"{kind}_cold_p95_ms": p95([one["cold_ms"] for one in found.values()]) for kind, found in told.items()},
        **told,
    }


def _told(client: Any, address: str) -> dict[str, float]:
    cold = _timed(client, address, forgetting=True)
    warm = [_timed(client, address) for _ in range(ROUNDS)]
    return {
        "status": cold["status"], "kb": round(cold["bytes"] / 1000, 1), "queries": warm[-1]["queries"],
        "cold_ms": round(cold["ms"], 1), "cold_cpu_ms": round(cold["cpu_ms"], 1),
        "warm_ms": round(statistics.median(one["ms"] for one in warm), 1),
        "warm_cpu_ms": round(statistics.median(one["cpu_ms"] for one in warm), 1),
    }  # fmt: skip


def _timed(client: Any, address: str, *, forgetting: bool = False) -> dict[str, float]:
    from django.core.cache import cache
    from django.db import connection

    if forgetting:
        from apps.marts import selectors

        cache.clear()
        selectors._recent.clear()
    asked = [0]

    def counted(execute: Any, *given: Any) -> Any:
        asked[0] += 1
        return execute(*given)

    with connection.execute_wrapper(counted):
        started, worked = time.perf_counter(), time.process_time()
        answer = client.get(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        taken, cpu = time.perf_counter() - started, time.process_time() - worked
    if answer.status_code >= 400:
        raise RuntimeError(f"{address} answered {answer.status_code}: {body[:300]!r}")
    return {
        "status": answer.status_code, "bytes": len(body), "ms": 1000 * taken, "cpu_ms": 1000 * cpu, "queries": asked[0],
    }  # fmt: skip


if __name__ == "__main__":
    bench_home("company")
    told_by_child("company", company.build)
    report("pages", {"floor": "the login page, which asks nothing", **told_by_child("company", measure)}, goal=GOALS)
