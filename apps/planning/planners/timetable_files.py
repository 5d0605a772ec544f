"""What the files of a schedule are written of: cron jobs and triggers, whom they scale, and what to know of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from apps.finops.findings import Sentence
from apps.planning import scaling
from apps.planning.methods.schedule.cron import jobs, triggers
from apps.planning.methods.schedule.problem import Span
from apps.planning.methods.schedule.verify import jobs_give, jobs_set, triggers_set
from apps.planning.planners import timetable_words as words


def of(steps: Sequence[Span], meta: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a plan's content that its files are written of."""
    zone = ZoneInfo(meta["zone"])
    until = datetime.fromtimestamp(60 * steps[-1].end, UTC).astimezone(zone)
    return {
        "jobs": [[one.at.cron, one.at.once, one.replicas] for one in jobs(steps, zone)],
        "triggers": [[one.start.cron, one.end.cron, one.start.once, one.replicas] for one in triggers(steps, zone)],
        "lowest": min(step.replicas for step in steps), "highest": max(step.replicas for step in steps),
        "zone": meta["zone"], "until": f"{until:%Y-%m-%d}", "namespace": meta["namespace"],
        "workload": meta["workload"], "kind": meta["kind"], "most": meta["most"], "scaler": meta["scaler"],
    }  # fmt: skip


def told(content: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """Which files there are not, what the others change besides, and until when they hold."""
    scaler = {"scaler": content["scaler"]}
    conflict = scaling.conflict(content)
    if conflict == scaling.OWNED:
        return (Sentence(words.OWNED, scaler),)
    if conflict == scaling.UNNAMED:
        return (Sentence(words.UNNAMED),)
    is_flat = not content["triggers"]
    found = [Sentence(words.FLAT, {"least": f"{content['lowest']}"})] if is_flat else []
    if content["scaler"]:
        found += [Sentence(words.BOUNDS_MOVE, scaler), *([] if is_flat else [Sentence(words.TAKES_OVER, scaler)])]
    until, once = {"until": content["until"]}, sum(is_once for _cron, is_once, _replicas in content["jobs"])
    found.append(Sentence(words.DATED, until | {"count": f"{once}"}) if once else Sentence(words.WEEKLY, until))
    return tuple(found)


def holds(content: Mapping[str, Any], steps: Sequence[Span]) -> bool:
    """Whether what is written gives the replicas of the steps in every minute."""
    zone, span = ZoneInfo(content["zone"]), {"first": steps[0].start, "last": steps[-1].end}
    wanted = [(step.start, step.end, step.replicas) for step in steps]
    set_by_jobs = jobs_set([(cron, replicas) for cron, _once, replicas in content["jobs"]], zone, **span)
    entries = [(start, end, replicas) for start, end, _once, replicas in content["triggers"]]
    set_by_triggers = triggers_set(entries, content["lowest"], zone, **span)
    return all(jobs_give(wanted, one, **span).holds for one in (set_by_jobs, set_by_triggers))
