"""The roof: settings, urls, celery and the beat schedule. It sees all floors and is seen by none."""

from costops.celery import app as celery_app

__all__ = ["celery_app"]
