#!/usr/bin/env python
"""CostOps at the terminal."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")
    execute_from_command_line(sys.argv)
