"""OpenID Connect, checked by us: issuer, signature, audience, time, nonce and subject, besides the library's state."""

import hashlib
import hmac
from typing import Any

import jwt
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest

from apps.signin import outbound

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key of the provider's. Not `none`, and none by a shared secret."""
LEEWAY_SECONDS = 60
CLAIMS = ("iss", "aud", "exp", "iat", "sub", "nonce")


def nonce_for(verifier: str) -> str:
    """The nonce of one sign-in: told by the verifier of PKCE, which stays in the session of whoever began it."""
    return hashlib.sha256(f"nonce {verifier}".encode()).hexdigest()


class Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # it publishes no types
    """What comes back from a provider, and whether it is what we asked for."""

    verifier = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What a provider says of itself; it must be the one the installation names."""
        config: dict[str, Any] = super().openid_config
        issuer = self.get_provider().app.settings["server_url"]
        if config.get("issuer") != issuer:
            raise OAuth2Error(f"The provider calls itself {config.get('issuer')!r}, not {issuer!r}.")
        return config

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: OAuth2Client, pkce_code_verifier: str | None = None
    ) -> Any:
        self.verifier = pkce_code_verifier or ""
        return super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **given: Any) -> SocialLogin:
        claims = self._verified(app, str(given["response"].get("id_token") or ""))
        told = {"id_token": claims, "userinfo": claims}
        if app.settings["asks_userinfo"]:
            told["userinfo"] = self._of_the_same(claims, self._fetch_user_info(token.token))
        return self.get_provider().sociallogin_from_response(request, told)

    def _of_the_same(self, claims: dict[str, Any], userinfo: dict[str, Any]) -> dict[str, Any]:
        """OpenID Connect Core 5.3.2: what is told of another subject is not used."""
        if userinfo.get("sub") != claims["sub"]:
            raise OAuth2Error("The provider told of somebody else than it signed for.")
        return claims | userinfo

    def _verified(self, app: SocialApp, token: str) -> dict[str, Any]:
        """The claims of a token that the provider signed for us, now, for this sign-in (Core 3.1.3.7)."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key_of(token), algorithms=ALGORITHMS, audience=app.client_id,
                issuer=self.openid_config["issuer"], leeway=LEEWAY_SECONDS, options={"require": list(CLAIMS)},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise OAuth2Error(f"The token of the provider is not good: {error}") from error
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("The token of the provider was given to another program.")
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce_for(self.verifier).encode()):
            raise OAuth2Error("The token of the provider belongs to another sign-in.")
        return claims

    def _key_of(self, token: str) -> Any:
        """The key of the provider that a token names; without a name the only one there is."""
        header = jwt.get_unverified_header(token)
        keys = jwt.PyJWKSet.from_dict(self._asked(self.openid_config["jwks_uri"])).keys
        signing = [key for key in keys if key.public_key_use in (None, "sig")]
        fitting = [key for key in signing if header.get("kid") in (None, key.key_id)]
        if len(fitting) != 1 or header.get("alg") not in ALGORITHMS:
            raise OAuth2Error("No key of the provider signed its token.")
        return fitting[0].key

    def _asked(self, url: str) -> dict[str, Any]:
        with outbound.session() as session:
            response = session.get(url)
            response.raise_for_status()
            found: dict[str, Any] = response.json()
        return found


class Provider(OpenIDConnectProvider):  # type: ignore[misc]  # it publishes no types
    """Signing in, and nothing else: what to ask for is told by the installation, not by the address."""

    oauth2_adapter_class = Adapter

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        return kwargs | {"process": "login", "scope": self.get_scope(), "auth_params": self.get_auth_params()}

    def get_pkce_params(self) -> dict[str, Any]:
        made: dict[str, Any] = generate_code_challenge()
        return made | {"nonce": nonce_for(made["code_verifier"])}


provider_classes = [Provider]
