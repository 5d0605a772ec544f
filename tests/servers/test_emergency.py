"""When the sign-in provider is down, whoever keeps the site gets in on the server itself, as the documentation says."""

import re

import pytest
import requests

from tests.servers.installation import ROOT, Installation, new_installation
from tests.servers.process import free_port, is_listening

PUBLIC = "COSTOPS_HTTPS=true\nCOSTOPS_ALLOWED_HOSTS=costs.example.com\nCOSTOPS_SITE_URL=https://costs.example.com\n"
PASSWORD = "correct horse battery"
KEEP = f"""
from django.contrib.auth.models import User
User.objects.create_superuser("keeper", "keeper@example.com", {PASSWORD!r})
"""


@pytest.fixture
def installation(tmp_path):
    made = new_installation(tmp_path / "home")
    (made.home / "costops.env").write_text(PUBLIC + "COSTOPS_PASSWORD_LOGIN=false\n")
    made.manage("shell", "--no-imports", "-c", KEEP)
    yield made
    made.stop()


def documented() -> tuple[dict[str, str], list[str]]:
    """The settings and the command that the documentation tells."""
    told = (ROOT / "docs" / "signin.md").read_text()
    (line,) = re.findall(r"^(COSTOPS_PASSWORD_LOGIN=true .*gunicorn .*)$", told, re.MULTILINE)
    words = line.split()
    at = words.index("gunicorn")
    return dict(word.split("=", 1) for word in words[:at]), words[at:]


def test_one_signs_in_by_password_on_the_server_itself(installation: Installation):
    settings, command = documented()
    port = free_port()
    installation.environment |= settings
    web = installation.start(*(word.replace(":8001", f":{port}") for word in command))
    web.wait_until(lambda: is_listening(port), what="The web process")
    site = f"http://127.0.0.1:{port}"
    session = requests.Session()
    page = session.get(f"{site}/login/", timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "username": "keeper", "password": PASSWORD}
    inside = session.post(f"{site}/login/", form, timeout=30, allow_redirects=False)
    assert (inside.status_code, "session" in " ".join(session.cookies.keys())) == (302, True), inside.text[:2000]
    assert session.get(f"{site}/settings/", timeout=30).status_code == 200
