#!/usr/bin/env python
"""CostOps at the terminal."""

import os
import sys

import django
from django.core.management import execute_from_command_line

from costops import loading, starting


def main() -> None:
    """Run a command; the product's own find a database that is up to date."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")
    loading.begin()
    starting.read_settings()
    if len(sys.argv) > 1 and not {"-h", "--help"} & set(sys.argv):
        django.setup()
        from costops.embedded import COMMANDS, bring_up_to_date

        if sys.argv[1] in COMMANDS:
            bring_up_to_date()
    django.setup()
    from apps.audit.commands import recorded

    loading.end()
    with recorded(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
