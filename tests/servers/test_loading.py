"""Every kind of process looks through what it loaded no more, and still through what comes after."""

import json

import pytest

from tests.servers.installation import new_installation

TOLD = "import gc, json; print(json.dumps([gc.isenabled(), gc.get_freeze_count() > 100_000]))"
KINDS = {
    "manage": ("manage.py", "shell", "--no-imports", "-c", TOLD),
    "web": ("-c", f"import costops.wsgi; {TOLD}"),
    "worker": ("-c", f"from costops import celery_app; celery_app.Worker(pool='solo'); {TOLD}"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_loaded_is_looked_at_no_more(tmp_path, kind):
    done = new_installation(tmp_path).run(*KINDS[kind])
    assert json.loads(done.stdout.splitlines()[-1]) == [True, True]
