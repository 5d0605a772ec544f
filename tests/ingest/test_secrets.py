"""Credentials of sources: encrypted at rest, never shown back, and readable after a change of keys."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.ingest import sources
from apps.ingest.models import Source
from apps.warehouse import sealed
from apps.warehouse.sealed import SecretUnreadable
from tests.ingest.bills import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

VALUE = "hunter2-hunter2-hunter2"


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, location, options, secrets FROM ingest_source")
        return str(cursor.fetchall())


def add() -> Source:
    return sources.add_source(
        name="oss", kind="focus", location="s3://bills", cluster="", options={}, now=NOW,
        secrets={"key": "a-key-of-the-test", "secret": VALUE},
    )  # fmt: skip


def test_the_database_holds_no_credential():
    one = add()
    assert (VALUE in stored(), "a-key" in stored()) == (False, False)
    assert sources.secrets_of(one)["secret"] == VALUE


def test_the_same_secret_is_never_stored_as_the_same_text():
    assert sealed.seal({"key": VALUE}) != sealed.seal({"key": VALUE})


def test_a_key_is_changed_by_putting_a_new_one_in_front(settings):
    add()
    settings.COSTOPS_SECRETS_KEYS = ["new"]
    out = io.StringIO()
    call_command("source", "secret", "--rotate", stdout=out)
    assert "1 sources" in out.getvalue()
    settings.SECRET_KEY = "another"
    assert sources.secrets_of(Source.objects.get())["secret"] == VALUE
    settings.COSTOPS_SECRETS_KEYS = ["newer", "new"]
    assert sources.secrets_of(Source.objects.get())["secret"] == VALUE


def test_a_lost_key_is_said_with_the_way_out(settings):
    one = add()
    settings.SECRET_KEY = "another"
    with pytest.raises(SecretUnreadable, match="COSTOPS_SECRETS_KEYS"):
        sources.secrets_of(one)
    sources.set_secrets(one, {"key": "k", "secret": "s"})
    assert sources.secrets_of(Source.objects.get()) == {"key": "k", "secret": "s"}


def test_secrets_are_given_plain_by_file_or_by_environment(tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("from-a-file\n")
    monkeypatch.setenv("OSS_TOKEN", "from-env")
    found = sealed.given(["key=plain=with=equals", f"secret=@{tmp_path / 'secret'}", "token=env:OSS_TOKEN"])
    assert dict(found) == {"key": "plain=with=equals", "secret": "from-a-file", "token": "from-env"}


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        pytest.param([VALUE], "KEY=VALUE", id="no key"),
        pytest.param(["key=a", f"key={VALUE}"], "given twice", id="twice"),
        pytest.param(["key="], "empty", id="nothing"),
        pytest.param(["key=env:NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE", id="no such variable"),
        pytest.param(["key=@/no/such/file"], "cannot be read", id="no such file"),
    ],
)
def test_what_is_wrong_is_said_without_a_value(pairs, said):
    with pytest.raises(SecretUnreadable, match=said) as caught:
        sealed.given(pairs)
    assert VALUE not in str(caught.value)


def test_secrets_are_never_printed():
    secrets = sealed.Secrets(key=VALUE, token="t-0123456789")
    assert f"{secrets} {secrets!r} {[secrets]}" == "Secrets(key, token) Secrets(key, token) [Secrets(key, token)]"
    assert secrets.hide(f"403 for {VALUE} of t-0123456789") == "403 for ••• of •••"


def test_the_key_inside_a_connection_string_is_hidden_as_well():
    secrets = sealed.Secrets(connection_string="BlobEndpoint=https://x;SharedAccessSignature=sv=1&sig=a%2Fb0123456789")
    assert secrets.hide("403 for https://x/bills?sig=a%2Fb0123456789, or a/b0123456789") == (
        "403 for https://x/bills?sig=•••, or •••"
    )
    assert sealed.Secrets(connection_string="AccountName=a;AccountKey=k0123==;").hide("of k0123==") == "of •••"


ADDRESS = "https://hook.example/hooks/T0K3/canary%2F0123456789/data?room=ops&key=k3y9&to=a%20long+name&year=2026"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param("Cannot POST /hooks/T0K3/canary%2F0123456789/data", "Cannot POST /•••", id="path"),
        pytest.param("no canary/0123456789", "no •••", id="a segment, unquoted"),
        pytest.param(f"no {ADDRESS.partition('/hooks')[2]}", "no /•••/•••/data?•••", id="path and query"),
        pytest.param("no room ops with k3y9", "no room ops with •••", id="a value of the query"),
        pytest.param("no 'a long name'", "no '•••'", id="a value, unquoted"),
        pytest.param("no data of 2026 in hooks", "no data of 2026 in hooks", id="common words stay"),
        pytest.param("hook.example says no", "hook.example says no", id="the host stays"),
        pytest.param("Cannot POST canary%2F01234", "Cannot POST •••", id="cut inside of it"),
    ],
)
def test_what_of_an_address_is_secret_is_hidden_where_it_is_repeated_alone(said, shown):
    assert sealed.Secrets(url=ADDRESS).hide(said) == shown


def test_the_admin_and_the_pages_show_no_secret(client, admin_user):
    one = add()
    client.force_login(admin_user)
    for address in (f"/admin/ingest/source/{one.pk}/change/", "/admin/ingest/source/", "/sources/", "/api/sources/"):
        body = client.get(address).content.decode()
        assert VALUE not in body
        assert one.secrets not in body


def test_rotation_takes_nothing_else():
    with pytest.raises(CommandError, match="all sources"):
        call_command("source", "secret", "oss", "--rotate")
