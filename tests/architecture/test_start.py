"""What starting up waits for: learners are imported where something is learned, not by every page and command."""

import subprocess
import sys

START = """
import sys, django
django.setup()
import costops.urls
print(*sorted({"sklearn", "scipy", "matplotlib"} & sys.modules.keys()))
"""


def test_pages_do_not_wait_for_learners():
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
