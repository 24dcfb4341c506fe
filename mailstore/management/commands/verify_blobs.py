"""`manage.py verify_blobs`: whether every stored content can be read and is what it was."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from mailstore.verify_blobs import Verified, verify_blobs

EVERY = 5_000


class Command(BaseCommand):
    """Prints findings; the exit code is 1 when there are any."""

    help = "Read every stored content, compare its hash, and look for what is referred to and missing."

    def handle(self, *_: Any, **options: Any) -> None:
        """Verify, print, exit."""
        told = 0

        def tell(result: Verified) -> None:
            nonlocal told
            if result.blobs - told >= EVERY:
                told = result.blobs
                self.stderr.write(f"{result.blobs} read, {result.content_bytes >> 20} MB")

        result = verify_blobs(progress=tell)
        for each in result.findings:
            self.stdout.write(f"{each.check:<24} {each.where:<12} {each.stored} -> {each.expected}")
        self.stdout.write(
            f"{result.blobs} blobs ({result.content_bytes} bytes), {result.objects} objects "
            f"({result.unreferenced} without a row), {len(result.findings)} findings"
        )
        if result.findings:
            sys.exit(1)
