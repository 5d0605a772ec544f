"""The files of a schedule: they say what the plan says, to whatever scales the workload, or not at all."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
import yaml
from django.contrib.auth.models import User
from django.test import Client

from apps.marts.models import Publication
from apps.planning import scaling, services
from apps.planning.drafts import Draft
from apps.planning.exporting import exported
from apps.planning.planners import timetable_files as files
from apps.planning.planners.timetable import PLANNER
from apps.planning.scaling import SCHEMAS, BadObject, cron_hpa, keda
from tests.planning.school_world import HEAD, NOW, bring, classes, planned

pytestmark = pytest.mark.django_db


def by_other(draft: Draft, **content: Any) -> Draft:
    """The same plan of another workload."""
    return replace(draft, content=dict(draft.content) | content)


ALONE = {"most": None, "scaler": ""}


def read(draft: Draft, name: str) -> Any:
    return yaml.safe_load(exported(PLANNER, draft, name).text)


def test_files_say_what_the_plan_says(school: Publication) -> None:
    bring(classes(6))
    draft = planned(school)
    told = {str(check.title): check.is_kept for check in draft.checks}
    assert told["the files say the same as the plan, minute by minute"]
    jobs = read(draft, "cronhpa.yaml")["spec"]["jobs"]
    assert {job["targetSize"] for job in jobs} == {row[2] for row in draft.tables["steps"]}
    assert not any(job["runOnce"] for job in jobs)
    assert any(job["schedule"] == "0 50 9 * * 1" and job["targetSize"] == 13 for job in jobs)
    scaled = read(draft, "keda.yaml")["spec"]
    assert all(isinstance(value, str) for one in scaled["triggers"] for value in one["metadata"].values())
    (monday,) = [one["metadata"] for one in scaled["triggers"] if one["metadata"]["start"] == "50 9 * * 1"]
    assert (monday["desiredReplicas"], monday["end"]) == ("13", "50 11 * * 1")


def test_a_class_that_comes_once_is_of_its_date(school: Publication) -> None:
    """An open evening on a Saturday, beside the classes of every week."""
    once = b"\nschool,Open evening,2026-10-10T19:00,2026-10-10T20:00,100\n"
    bring(classes(6) + once)
    draft = planned(school)
    dated = [
        (job["schedule"], job["targetSize"]) for job in read(draft, "cronhpa.yaml")["spec"]["jobs"] if job["runOnce"]
    ]
    assert dated == [("0 50 18 10 10 *", 13), ("0 0 20 10 10 *", dated[1][1])]
    starts = [one["metadata"] for one in read(draft, "keda.yaml")["spec"]["triggers"]]
    assert [(one["start"], one["end"]) for one in starts if one["desiredReplicas"] == "13"][-1] == (
        "50 18 10 10 *", "0 20 10 10 *",
    )  # fmt: skip
    assert "# Remove the trigger that starts at '50 18 10 10 *' when it is over, or it comes again" in keda(draft)
    assert any("2 changes come once, on their date" in str(line) for line in draft.binds)


def test_an_autoscaler_is_moved_or_taken_over_and_never_fought(school: Publication) -> None:
    bring(classes(6))
    draft = planned(school)
    target = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "name": "live-hpa"}
    assert read(draft, "cronhpa.yaml")["spec"]["scaleTargetRef"] == target
    taken = read(draft, "keda.yaml")
    assert taken["metadata"]["annotations"] == {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}
    assert taken["spec"]["advanced"] == {"horizontalPodAutoscalerConfig": {"name": "live-hpa"}}
    assert taken["spec"]["scaleTargetRef"]["kind"] == "Deployment"
    assert taken["spec"]["maxReplicaCount"] == 13
    told = [str(line) for line in draft.binds]
    assert any("names the autoscaler live-hpa and moves its bounds" in line for line in told)
    assert any("takes the autoscaler live-hpa over" in line for line in told)
    alone = by_other(draft, **ALONE)
    assert read(alone, "cronhpa.yaml")["spec"]["scaleTargetRef"]["kind"] == "Deployment"
    assert "annotations" not in read(alone, "keda.yaml")["metadata"]


@pytest.mark.parametrize("write", [cron_hpa, keda])
@pytest.mark.parametrize(
    ("content", "said", "on_the_page"),
    [
        pytest.param({"scaler": ""}, "its name is not metered", "its name is not metered", id="an autoscaler unnamed"),
        pytest.param({"scaler": "keda-hpa-live"}, "KEDA scales the workload already", "sets back", id="a ScaledObject"),
    ],
)
def test_what_would_be_refused_is_not_written(
    school: Publication, write: Callable[[Draft], str], content: dict[str, Any], said: str, on_the_page: str
) -> None:
    bring(classes(6))
    other = by_other(planned(school), **content)
    with pytest.raises(BadObject, match=said):
        write(other)
    assert any(on_the_page in str(line) for line in files.told(other.content))


def test_a_schedule_that_never_changes_has_no_triggers(school: Publication) -> None:
    draft = by_other(planned(school), triggers=[], jobs=[["0 0 * * 1", False, 4]], lowest=4, highest=4, **ALONE)
    with pytest.raises(BadObject, match="set 4 replicas instead"):
        keda(draft)
    assert any("There is no keda.yaml" in str(line) for line in files.told(draft.content))
    assert len(read(draft, "cronhpa.yaml")["spec"]["jobs"]) == 1


@pytest.mark.parametrize(
    ("kind", "api"),
    [
        ("Deployment", "apps/v1"), ("StatefulSet", "apps/v1"), ("Rollout", "argoproj.io/v1alpha1"),
        ("CloneSet", "apps.kruise.io/v1alpha1"),
    ],
)  # fmt: skip
def test_every_kind_has_its_own_api(school: Publication, kind: str, api: str) -> None:
    other = by_other(planned(school), kind=kind, **ALONE)
    for name in ("cronhpa.yaml", "keda.yaml"):
        assert read(other, name)["spec"]["scaleTargetRef"] == {"apiVersion": api, "kind": kind, "name": "live"}


@pytest.mark.parametrize("kind", ["Pod", "Job", "DaemonSet"])
def test_what_has_no_replicas_is_told(school: Publication, kind: str) -> None:
    with pytest.raises(BadObject, match=f"A {kind} has no replicas to set"):
        cron_hpa(by_other(planned(school), kind=kind, **ALONE))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param({"jobs": [["1 2 3", False, 2]]}, r"spec.jobs\[0\].schedule: '0 1 2 3' does not match",
                     id="no six fields"),
        pytest.param({"jobs": [["99 7 * * 1", False, 2]]}, "does not match", id="a minute that is none"),
        pytest.param({"jobs": [["0 0 * * 1", False, -2]]}, "-2 is less than the minimum", id="fewer than none"),
        pytest.param({"jobs": [["0 0 * * 1", False, "3"]]}, "'3' is not of type 'integer'", id="a number as text"),
        pytest.param({"jobs": []}, "should be non-empty", id="no job at all"),
        pytest.param({"namespace": "a\nb: c"}, "metadata.namespace: .* does not match", id="a name of two lines"),
    ],
)  # fmt: skip
def test_what_its_schema_does_not_allow_is_not_written(school: Publication, content: dict[str, Any], said: str) -> None:
    with pytest.raises(BadObject, match=said):
        cron_hpa(by_other(planned(school), **content))


@pytest.mark.parametrize("trigger", [["0 0 * * 1", "0 0 * *", False, 3], ["0 25 * * 1", "0 2 * * 1", False, 3]])
def test_triggers_are_held_against_their_schema(school: Publication, trigger: list[Any]) -> None:
    with pytest.raises(BadObject, match=r"spec.triggers\[0\].metadata"):
        keda(by_other(planned(school), triggers=[trigger]))


def test_schemas_are_sound_and_refer_to_nothing_elsewhere() -> None:
    paths = sorted(SCHEMAS.glob("*.json"))
    assert [path.stem for path in paths] == ["cronhorizontalpodautoscaler", "scaledobject"]
    for path in paths:
        assert "$ref" not in path.read_text()
        jsonschema.Draft202012Validator.check_schema(yaml.safe_load(path.read_text()))


def test_a_long_name_fits_the_label_that_keda_writes(school: Publication) -> None:
    other = by_other(planned(school), workload="w" * 63, **ALONE)
    assert len(read(other, "keda.yaml")["metadata"]["name"]) == 63


def test_what_no_schedule_can_be_made_for_is_told(school: Publication) -> None:
    bring(classes(6) + b"\nschool/guard,Round,2026-10-06T10:00,2026-10-06T11:00,1\n")
    told = {case.subject: str(case.withheld) for case in PLANNER.read(school, NOW) if case.withheld}
    assert told.keys() == {"online: requests", "online: kinds"}
    assert "1 workloads have classes or replicas that come and go, and ask for no cores" in told["online: requests"]
    assert "school/board" in told["online: requests"]
    assert "2 workloads of the timetable cannot be scaled by the clock" in told["online: kinds"]
    assert "school/door (Pod)" in told["online: kinds"]
    assert "school/guard (DaemonSet)" in told["online: kinds"]


def test_what_keeps_data_is_planned_where_it_is_named_itself(school: Publication) -> None:
    bring(f"{HEAD}\nschool/marks,Exam,2026-10-06T10:00,2026-10-06T11:00,9\n".encode())
    assert "school/marks" in [case.subject for case in PLANNER.read(school, NOW) if not case.withheld]


def test_a_file_that_cannot_be_written_says_so_to_whoever_asks(
    school: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(classes(6))
    services.plan(now=NOW, planners=[PLANNER])
    monkeypatch.setattr(scaling, "conflict", lambda _content: scaling.UNNAMED)
    han = Client()
    han.force_login(User.objects.get(username="han"))
    for address in ("/plans/timetable/files/keda.yaml/", "/api/v1/plans/timetable/files/keda.yaml/"):
        answer = han.get(address, {"subject": "school/live"})
        assert answer.status_code == 400, address
        assert "its name is not metered" in answer.content.decode()
