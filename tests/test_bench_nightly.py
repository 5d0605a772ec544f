"""The company that nights are measured on is one whose next bill and usage are read as those of any other."""

from datetime import UTC, date, datetime

import pytest

from apps.ingest.models import LandedFile
from apps.pipeline import services
from bench import nightly
from bench.company import found


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:.*arrow_table.*:DeprecationWarning")
def test_the_next_day_adds_to_what_is_there(home, tmp_path, monkeypatch):
    monkeypatch.setenv("COSTOPS_BENCH_HOME", str(tmp_path))
    of = nightly.Company(scale=0.001, months=1)
    found(of.folder, of.size, nightly.LAST)
    nightly._bring(of, nightly.LAST, hours=range(24), bill=True)
    done = services.fill(now=datetime(2026, 11, 1, 0, 30, tzinfo=UTC), steps={"land", "normalize", "meter"})
    assert (done.failed, done.errors) == ((), ())
    (month, day) = LandedFile.objects.filter(source__name="bill").order_by("pk")
    assert [file.state for file in (month, day)] == ["current", "current"]
    assert month.contents[0]["days"][-1] == str(date(2026, 10, 30))
    assert day.contents[0]["days"] == [str(nightly.LAST)]
    assert day.contents[0]["accounts"].keys() == month.contents[0]["accounts"].keys()
