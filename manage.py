#!/usr/bin/env python
"""Command line of Globalmail: `manage.py serve`, `create_domain`, `check_store` and Django's own."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")
    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)  # 128 + SIGINT, as shells say it; whoever pressed Ctrl-C wants no traceback
