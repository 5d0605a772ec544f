"""The people and the company of the pages."""

from tests.dashboards.conftest import client_of, people, published

__all__ = ["client_of", "people", "published"]
