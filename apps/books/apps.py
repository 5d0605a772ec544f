"""Django's registration of `books`."""

from django.apps import AppConfig


class BooksConfig(AppConfig):
    name = "apps.books"
    label = "books"

    def ready(self) -> None:
        """Closed months and disputes show numbers of their publications for years."""
        from apps.books.models import Close, Dispute  # not before all apps are there
        from apps.marts import keeping

        keeping.rest("closes", lambda: Close.objects.values_list("publication_id", flat=True))
        keeping.rest("disputes", lambda: Dispute.objects.values_list("publication_id", flat=True))
