"""Where there is no audit log to write to, and whether that is worth a word."""

from tests.servers.installation import new_installation


def test_only_a_database_that_was_made_is_missed_its_log(tmp_path):
    """The first step of many is `demo`, before any database: nothing went wrong."""
    installation = new_installation(tmp_path / "home", is_migrated=False)
    written = installation.manage("demo", "--days", "1", "--scale", "0.01", "--to", str(installation.home / "demo"))
    assert "audit" not in written.stderr
    installation.manage("migrate", "--verbosity", "0")
    drop = "from django.db import connection; connection.cursor().execute('DROP TABLE audit_chainend')"
    installation.manage("shell", "--no-imports", "-c", drop)
    told = installation.manage("source", "add", "x", "--kind", "focus", "--location", str(installation.home))
    assert "The audit log could not be written." in told.stderr
