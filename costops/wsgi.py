"""The WSGI entry point: `gunicorn costops.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from costops import telemetry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")
telemetry.start()
application = get_wsgi_application()
