"""Faults of the bucket the lake lies in: they cost time and never a number."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.finops.errors import CostOpsError
from apps.warehouse import lake, objects, shared
from tests.warehouse.machines import NORTH, Fault, Machines, failed, sell
from tests.warehouse.test_lake import MONDAY, SALES, sold


def is_list(environ: dict[str, Any]) -> bool:
    return "list-type=2" in environ["QUERY_STRING"]


def is_read(environ: dict[str, Any]) -> bool:
    return environ["REQUEST_METHOD"] == "GET" and ".parquet" in environ["PATH_INFO"]


def is_file(environ: dict[str, Any]) -> bool:
    return environ["REQUEST_METHOD"] == "PUT" and ".parquet" in environ["PATH_INFO"]


def is_commit(environ: dict[str, Any]) -> bool:
    return environ["REQUEST_METHOD"] == "PUT" and ".json" in environ["PATH_INFO"]


WHERE = pytest.mark.parametrize(
    "where", [is_list, is_read, is_file, is_commit], ids=["a list", "a read", "a file sent", "a commit"]
)


def again_and_again(where: Callable[[dict[str, Any]], bool], answer: Any, times: float) -> Fault:
    """A fault of what the product asks; the test's own client is another program."""
    left = [times]

    def fault(environ: dict[str, Any], start: Any) -> Any:
        if not where(environ) or left[0] <= 0 or "Boto3" in environ["HTTP_USER_AGENT"]:
            return None
        left[0] -= 1
        return answer(environ, start)

    return fault


def as_status(status: str) -> Any:
    return lambda _environ, start: failed(start, status)


def write_and_read_elsewhere(machines: Machines) -> None:
    sell(2)
    machines.on("two")
    assert sold() == [(2, "north", MONDAY)]


@WHERE
@pytest.mark.parametrize("status", ["500 Internal", "503 Slow Down", "429 Too Many Requests"])
def test_faults_that_pass_cost_a_retry(machines: Machines, where: Any, status: str) -> None:
    sell(1)
    machines.store.fault = again_and_again(where, as_status(status), 2)
    write_and_read_elsewhere(machines)


@WHERE
def test_a_store_that_stays_away_is_said_and_nothing_is_half_published(machines: Machines, where: Any) -> None:
    sell(1)
    machines.store.fault = again_and_again(where, as_status("503 Slow Down"), float("inf"))
    with pytest.raises(shared.StoreUnavailable, match=r"s3://lake/company/.*tried 6 times"):
        write_and_read_elsewhere(machines)
    machines.store.fault = None
    machines.on("three")
    assert sold() in ([(1, "north", MONDAY)], [(2, "north", MONDAY)])
    assert len(sold()) == 1
    if where in (is_file, is_commit):
        assert sold() == [(1, "north", MONDAY)]
        assert (sell(2), sold()) == (2, [(2, "north", MONDAY)])


def in_pieces(machines: Machines, *, stop_at: float = 1.0, trickle: float = 0.0, flip: bool = False) -> Any:
    """The object as the store has it, but cut off, slow, or with a bit flipped."""

    def answer(environ: dict[str, Any], start: Any) -> Any:
        if "HTTP_RANGE" in environ:
            return None
        told = machines.store.client().get_object(Bucket="lake", Key=environ["PATH_INFO"].removeprefix("/lake/"))
        body = bytearray(told["Body"].read())
        if flip:
            body[len(body) // 2] ^= 1
        start("200 OK", [("Content-Length", str(len(body))), ("ETag", told["ETag"])])

        def pieces() -> Iterator[bytes]:
            for at in range(0, int(len(body) * stop_at), 100):
                yield bytes(body[at : min(at + 100, int(len(body) * stop_at))])
                threading.Event().wait(trickle)

        return pieces()

    return answer


def test_a_connection_cut_in_the_middle_goes_on_where_it_stood(machines: Machines) -> None:
    sell(1)
    machines.store.fault = again_and_again(is_read, in_pieces(machines, stop_at=0.5), 1)
    machines.on("two")
    machines.store.asked.clear()
    assert sold() == [(1, "north", MONDAY)]
    assert len(machines.asked("GET", NORTH)) == 3, "twice, and once by the fault itself"


def test_a_read_that_trickles_is_begun_again(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PATIENCE_SECONDS", 0.03)
    sell(1)
    machines.store.fault = again_and_again(is_read, in_pieces(machines, trickle=0.06), 1)
    machines.on("two")
    assert sold() == [(1, "north", MONDAY)]
    assert len(machines.asked("GET", NORTH)) == 3


@pytest.mark.parametrize(
    ("times", "is_read_at_last"), [(2, True), (float("inf"), False)], ids=["once more", "for ever"]
)
def test_an_object_that_was_listed_and_is_not_there(machines: Machines, times: float, is_read_at_last: bool) -> None:
    sell(1)
    machines.store.fault = again_and_again(is_read, as_status("404 Not Found"), times)
    machines.on("two")
    if is_read_at_last:
        assert sold() == [(1, "north", MONDAY)]
    else:
        with pytest.raises(shared.ObjectMissing, match="is not there"):
            sold()


@pytest.mark.parametrize(("times", "is_read_at_last"), [(1, True), (float("inf"), False)], ids=["on the way", "there"])
def test_bytes_that_are_not_what_the_name_says_are_never_read(
    machines: Machines, times: float, is_read_at_last: bool
) -> None:
    sell(1)
    machines.store.fault = again_and_again(is_read, in_pieces(machines, flip=True), times)
    machines.on("two")
    if is_read_at_last:
        assert sold() == [(1, "north", MONDAY)]
    else:
        with pytest.raises(shared.Damaged, match="another sha256"):
            sold()
        assert [path for path in (machines.folder / "two").rglob("*.parquet") if NORTH in str(path)] == []


def test_a_commit_whose_answer_is_lost_counts_once(machines: Machines) -> None:
    sell(1)

    def done_but_not_said(environ: dict[str, Any], start: Any) -> Any:
        key = environ["PATH_INFO"].removeprefix("/lake/")
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        machines.store.client().put_object(Bucket="lake", Key=key, Body=body)
        return failed(start, "500 Internal")

    machines.store.fault = again_and_again(is_commit, done_but_not_said, 1)
    assert sell(2) == 2
    machines.on("two")
    assert (lake.version(SALES), sold()) == (2, [(2, "north", MONDAY)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"COSTOPS_LAKE_URL": "s3://nowhere/x"}, "there is no such bucket", id="no such bucket"),
        pytest.param({"COSTOPS_LAKE_ENDPOINT": "http://127.0.0.1:9"}, "tried 6 times", id="nobody listens"),
    ],
)
def test_what_is_wrong_with_the_store_is_said(machines: Machines, change: dict[str, str], said: str) -> None:
    for name, value in change.items():
        setattr(machines.settings, name, value)
    with pytest.raises(CostOpsError, match=said):
        lake.version(SALES)


def test_a_refusal_is_not_repeated_and_tells_no_secret(machines: Machines) -> None:
    body = b"<Error><Code>AccessDenied</Code><Message>a-secret-of-the-test-0123456789 is wrong</Message></Error>"
    machines.store.fault = again_and_again(is_list, lambda _environ, start: failed(start, "403 Forbidden", body), 9)
    with pytest.raises(shared.StoreRefused, match="AccessDenied") as refused:
        lake.version(SALES)
    assert "0123456789" not in str(refused.value)
    assert len(machines.store.asked) == 1


def is_delete(environ: dict[str, Any]) -> bool:
    return environ["REQUEST_METHOD"] == "DELETE"


def test_many_files_go_at_once_and_the_first_refusal_ends_it(machines: Machines) -> None:
    for amount in range(30):
        sell(amount)
    bucket = shared.bucket()
    keys = [one.key for one in bucket.listed(f"lake/{SALES.name}/") if one.key.endswith(".parquet")]
    assert len(keys) == 30
    machines.store.fault = again_and_again(is_delete, as_status("503 Slow Down"), 5)
    bucket.delete(keys[:20])
    left = {one.key for one in bucket.listed(f"lake/{SALES.name}/")}
    assert left & {*keys} == {*keys[20:]}
    asked = []

    def refused(_environ: dict[str, Any], start: Any) -> Any:
        asked.append(1)
        return failed(start, "403 Forbidden")

    machines.store.fault = again_and_again(is_delete, refused, float("inf"))
    with pytest.raises(shared.StoreRefused):
        bucket.delete(keys[20:] * 10)
    assert len(asked) < 100, "the others are not begun"
