"""What starting up waits for: learners, and what speaks to assistants, are imported where they are used."""

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
