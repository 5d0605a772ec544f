"""Single sign-on by SAML: an assertion signed for us lets in, and nothing else does."""

import base64
import json
import uuid
import zlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.contrib.auth.models import User
from django.test import Client

from apps.audit.models import AuditEntry
from apps.audit.redaction import HIDDEN
from apps.teams.models import Membership, Team
from costops.sso import read_sso

IDP = "https://id.corp.example/saml"
ACS, METADATA = "http://testserver/signin/saml/corp/acs/", "http://testserver/signin/saml/corp/metadata/"


def a_browser() -> Client:
    """A browser that says which host it asks, as all do."""
    return Client(HTTP_HOST="testserver")


class Signer:
    """A key and its certificate."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "id.corp.example")])
        now = datetime.now(UTC)
        built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        built = (
            built.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
        )
        self.certificate = built.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, xml: str) -> str:
        """The document with its assertion signed."""
        from onelogin.saml2.utils import OneLogin_Saml2_Utils

        private = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        signed = OneLogin_Saml2_Utils.add_sign(xml, private, self.certificate)
        return signed.decode() if isinstance(signed, bytes) else signed


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture
def saml(signer, people, settings, tmp_path):
    """An installation that names a provider of SAML, as it is when it has started with it."""
    from allauth.socialaccount.providers import registry
    from allauth.socialaccount.providers.saml.provider import SAMLProvider

    (tmp_path / "idp.pem").write_text(signer.certificate)
    one = {
        "kind": "saml", "id": "corp", "label": "Corp", "entity_id": IDP, "sso_url": f"{IDP}/sso",
        "certificate": f"@{tmp_path}/idp.pem", "email_is_name_id": True, "trusts_email": True,
        "attributes": {"username": "name"},
    }  # fmt: skip
    path = tmp_path / "sso.json"
    path.write_text(json.dumps({"providers": [one], "groups": {"platform": {"teams": ["live"]}}}))
    sso = read_sso(str(path))
    settings.SOCIALACCOUNT_PROVIDERS, settings.COSTOPS_SSO_GROUPS = sso.providers, sso.groups
    settings.ROOT_URLCONF = "tests.signin.saml_urls"
    registry.register(SAMLProvider)


def response_to(request_id: str, **changed: str) -> str:
    """What the provider answers: who it is, for whom, until when."""
    now = datetime.now(UTC)
    told = {
        "id": uuid.uuid4().hex, "to": request_id, "now": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{now + timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}", "audience": METADATA, "issuer": IDP,
        "subject": "wang@corp.example", "acs": ACS,
    } | changed  # fmt: skip
    return ASSERTION.format(**told)


ASSERTION = """<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="a{id}" Version="2.0"
IssueInstant="{now}">
<saml:Issuer>{issuer}</saml:Issuer>
<saml:Subject>
<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">{subject}</saml:NameID>
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<saml:SubjectConfirmationData InResponseTo="{to}" NotOnOrAfter="{until}" Recipient="{acs}"/>
</saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="{now}" NotOnOrAfter="{until}">
<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AuthnStatement AuthnInstant="{now}" SessionIndex="s"><saml:AuthnContext>
<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>
</saml:AuthnContext></saml:AuthnStatement>
<saml:AttributeStatement><saml:Attribute Name="name"><saml:AttributeValue>wang</saml:AttributeValue></saml:Attribute>
<saml:Attribute Name="groups"><saml:AttributeValue>platform</saml:AttributeValue></saml:Attribute>
</saml:AttributeStatement>
</saml:Assertion>"""
RESPONSE = """<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="r{id}" Version="2.0" IssueInstant="{now}"
Destination="{acs}" InResponseTo="{to}">
<saml:Issuer>{issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>
</samlp:Status>{assertion}</samlp:Response>"""


def begun(browser: Client, asked: str = "") -> str:
    """The number of a request that a browser takes to the provider."""
    gone = browser.get(f"/signin/saml/corp/login/{asked}")
    assert gone["Location"].startswith(f"{IDP}/sso?")
    asked = parse_qs(urlsplit(gone["Location"]).query)["SAMLRequest"][0]
    xml = zlib.decompress(base64.b64decode(asked), -15).decode()
    return xml.partition('ID="')[2].partition('"')[0]


def brought(browser: Client, request_id: str, assertion: str):
    """Bring an assertion back by the browser, whole way."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    told = {"id": uuid.uuid4().hex, "now": now, "acs": ACS, "to": request_id, "issuer": IDP, "assertion": assertion}
    body = {"SAMLResponse": base64.b64encode(RESPONSE.format(**told).encode()).decode(), "RelayState": ""}
    return browser.post("/signin/saml/corp/acs/", body, follow=True)


def is_in(browser: Client) -> bool:
    return browser.get("/settings/").status_code == 200


def test_a_signed_assertion_lets_in_and_brings_groups(saml, signer):
    Team.objects.create(name="live")
    browser = a_browser()
    request_id = begun(browser)
    brought(browser, request_id, signer.sign(response_to(request_id)))
    assert is_in(browser)
    wang = User.objects.get(username="wang")
    assert wang.email == "wang@corp.example"
    assert Membership.objects.filter(user=wang, team__name="live").exists()
    told = {entry.action: entry for entry in AuditEntry.objects.all()}
    assert told["POST saml_acs"].details["SAMLResponse"] == HIDDEN
    assert (told["GET saml_finish_acs"].actor, told["GET saml_finish_acs"].outcome) == ("wang", 302)


@pytest.mark.parametrize(
    ("changed", "how"),
    [
        pytest.param({}, "another", id="signed by somebody else"),
        pytest.param({}, "unsigned", id="not signed"),
        pytest.param({}, "altered", id="signed, and altered afterwards"),
        pytest.param({"audience": "https://another.example"}, "signed", id="for another program"),
        pytest.param({"until": "2020-01-01T00:00:00Z"}, "signed", id="over long ago"),
        pytest.param({"acs": "http://another.example/acs/"}, "signed", id="for another address"),
        pytest.param({"issuer": "https://evil.example"}, "signed", id="of another provider"),
        pytest.param({"to": "ONELOGIN_another"}, "signed", id="in answer to another request"),
    ],
)
def test_anything_else_lets_nobody_in(saml, signer, changed, how):
    browser = a_browser()
    request_id = begun(browser)
    assertion = response_to(request_id, **changed)
    if how != "unsigned":
        assertion = (Signer() if how == "another" else signer).sign(assertion)
    if how == "altered":
        assertion = assertion.replace("wang@corp.example", "root@corp.example")
    brought(browser, request_id, assertion)
    assert not is_in(browser)
    assert not User.objects.filter(username="wang").exists()


def test_what_nobody_asked_for_lets_nobody_in(saml, signer):
    browser = a_browser()
    brought(browser, "ONELOGIN_made_up", signer.sign(response_to("ONELOGIN_made_up")))
    assert not is_in(browser)


@pytest.mark.parametrize("process", ["connect", "redirect"])
def test_who_is_signed_in_links_nobody_to_their_account(saml, signer, people, process):
    browser = a_browser()
    browser.force_login(people["lilei"])
    request_id = begun(browser, f"?process={process}")
    brought(browser, request_id, signer.sign(response_to(request_id)))
    assert SocialAccount.objects.get().user.username == "wang"
    assert browser.session["_auth_user_id"] == str(User.objects.get(username="wang").pk)


def test_an_answer_is_taken_once(saml, signer):
    first, second = a_browser(), a_browser()
    request_id = begun(first)
    assertion = signer.sign(response_to(request_id))
    brought(first, request_id, assertion)
    brought(second, request_id, assertion)
    assert (is_in(first), is_in(second)) == (True, False)


def test_our_metadata_names_where_answers_are_taken(saml):
    assert ACS in a_browser().get("/signin/saml/corp/metadata/").content.decode()
