"""The WSGI entry point: `gunicorn costops.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from costops import loading, starting, telemetry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")
loading.begin()
telemetry.start()
application = get_wsgi_application()
starting.check()
_ = get_resolver().url_patterns  # every view: else the first who asks waits for them
loading.end()
