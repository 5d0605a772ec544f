"""What starting up waits for: learners, and what speaks to assistants, are imported where they are used; and where it
does not start."""

import os
import subprocess
import sys

START = """
import sys, django
django.setup()
import costops.urls
print(*sorted({"sklearn", "scipy", "matplotlib", "mcp"} & sys.modules.keys()))
"""


def test_pages_do_not_wait_for_learners():
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_home_whose_path_reads_like_a_column_is_refused(tmp_path):
    """The engine takes `team=x` above a file for the team of every row in it, and nothing would say so."""
    home = tmp_path / "team=x" / "home"
    asked = os.environ | {"COSTOPS_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", START], env=asked, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "/team=x/home' holds '=', which libraries misread" in done.stderr
