"""The WSGI entry point: `gunicorn costops.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")
application = get_wsgi_application()
