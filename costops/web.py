"""How pages and their files travel: by whole addresses, compressed, and kept by browsers while they stay the same."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from django.contrib.staticfiles.apps import StaticFilesConfig
from django.http import HttpResponse, HttpResponsePermanentRedirect
from django.http.request import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.gzip import GZipMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

_TEXTS = ("text/html", "application/json")


class AddedSlashes(CommonMiddleware):
    """Who forgot the slash at the end is sent on with method and body: by a plain redirect programs would read where
    they wanted to write, and take the answer for a success."""

    response_redirect_class = partial(HttpResponsePermanentRedirect, preserve_request=True)  # type: ignore[assignment]


class Files(StaticFilesConfig):
    """The files of pages; those of our libraries that no page links to stay where they are."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.map", "redoc", "rest_framework"]


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Files of a name that tells their content, once `collectstatic` made them (`scripts/run.py` does at its start, the
    image when it is built).

    Before that, in tests and beside `runserver`, files keep their names: no page waits for a build.
    """

    manifest_strict = False
    patterns = (("*.css", (r"""(?P<matched>url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\))""",)),)
    """What names other files: rules of style. Maps of sources stay away."""

    def stored_name(self, name: str) -> str:
        """The name a page links to."""
        return super().stored_name(name) if name in self.hashed_files else name

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Compress what was not before: a name stands for one content."""
        yield from super().compress_files([path for path in paths if not Path(f"{self.path(path)}.gz").exists()])


class CompressedPages(GZipMiddleware):
    """Pages and what figures draw, compressed. What carries an ETag, and what is downloaded, stays as it is.

    Against guessing secrets by the length of an answer Django adds random bytes, and masks its CSRF tokens each time.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress, where that helps."""
        is_text = response.headers.get("Content-Type", "").startswith(_TEXTS)
        if not is_text or "ETag" in response.headers or not isinstance(response, HttpResponse):
            return response
        return super().process_response(request, response)
