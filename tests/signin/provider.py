"""A provider of OpenID Connect on this machine: a real one by HTTP, which can be told to misbehave."""

import base64
import gzip
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "costops", "a-secret-of-the-provider"
GOOD, BAD = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


@dataclass
class OidcProvider:
    """Whom it signs in (`person`), and how it misbehaves: claims it changes, or a word of `signs`, `packs`."""

    url: str
    person: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    signs: str = "well"
    packs: str = ""
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens_given: int = 0

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to, with a code for what was asked."""
        code = f"code{len(self.asked)}"
        self.asked[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, given: dict[str, str]) -> dict[str, Any]:
        """An answer of the token endpoint; without the verifier of PKCE none."""
        asked = self.asked.pop(given["code"])
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if challenge != asked["code_challenge"] or given.get("client_secret") != SECRET:
            return {"error": "invalid_grant"}
        self.tokens_given += 1
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        kept = {name: value for name, value in (claims | self.person | self.claims).items() if value is not None}
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": self._signed(kept)}

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.signs == "not at all":
            return jwt.encode(claims, "", algorithm="none")
        if self.signs == "with the secret":
            return jwt.encode(claims, SECRET.ljust(32, "-"), algorithm="HS256", headers={"kid": "one"})
        key = {"with another key": BAD}.get(self.signs, GOOD)
        token = jwt.encode(claims, key, algorithm="RS256", headers={"kid": "two" if self.signs == "by name" else "one"})
        if self.signs == "something else":
            head, body, sign = token.split(".")
            changed = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": "root"}
            body = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
            return f"{head}.{body}.{sign}"
        return token

    def answers(self) -> dict[str, Any]:
        """What it tells by GET."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(GOOD.public_key())) | {"kid": "one", "use": "sig"}
        named = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        endpoints = {f"{name}_endpoint": f"{self.url}/{place}" for name, place in named.items()}
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.url, "jwks_uri": f"{self.url}/keys", **endpoints,
                "token_endpoint_auth_methods_supported": ["client_secret_post"], **self.document,
            },
            "/keys": {"keys": [key]},
            "/userinfo": self.person | self.userinfo,
        }  # fmt: skip


@contextmanager
def running_provider() -> Iterator[OidcProvider]:
    """One on a port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._tell(provider.answers()[urlsplit(self.path).path])

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._tell(provider.token(dict(parse_qsl(body))))

        def _tell(self, told: Any) -> None:
            if isinstance(told, str):
                self.send_response(302)
                self.send_header("Location", told)
                self.end_headers()
                return
            body = json.dumps(told).encode()
            self.send_response(200)
            if provider.packs:
                body = gzip.compress(body)
                self.send_header("Content-Encoding", provider.packs)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_told: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = OidcProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked_of(location: str) -> dict[str, str]:
    """What a browser that is sent to a provider carries."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
