"""What benchmarks measured is kept, run after run."""

import json

from bench import history, measure


def test_every_result_stays_and_is_told_against_its_goal(tmp_path, monkeypatch):
    monkeypatch.setenv("COSTOPS_BENCH_HOME", str(tmp_path))
    for ratio in (3.25, 1.5):
        missed = ["ratio"] if ratio > 2 else []
        measure.keep("ingest", {"bench": "ingest", "ratio": ratio, "goal": {"ratio": 2}, "missed": missed})
    measure.keep("ask", {"bench": "ask", "p95_ms": 40.0, "goal": {"p95_ms": 50}, "missed": []})
    assert json.loads((tmp_path / "ingest.json").read_text())["ratio"] == 1.5, "the newest by itself"
    kept = measure.history().read_text().splitlines()
    told = [line.split("  ")[-1].strip() for line in history.lines(kept, [])]
    assert told == ["ratio 3.25/2!", "ratio 1.5/2", "p95_ms 40/50"]
    assert [line.split()[2] for line in history.lines(kept, ["ask"])] == ["ask"]
