"""`manage.py shots`: screenshots of every page into `shots/`, from a demo of its own or from a running one."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webmail.shots.server import demo_server

THEMES = ("light", "dark")
WIDTHS = (1440, 390)
LANGUAGES = ("zh", "en")


class Command(BaseCommand):
    """Takes the pictures and says which could not be taken."""

    help = "Take screenshots of every page (zh/en, light/dark, 1440/390 px) into shots/. Needs Playwright."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where, and how many of them."""
        parser.add_argument("--base-url", default="", help="a running demo; without it one is started for the pictures")
        parser.add_argument("--pages", default="", help="names of pages, separated by commas (all)")
        parser.add_argument("--languages", default=",".join(LANGUAGES))
        parser.add_argument("--themes", default=",".join(THEMES))
        parser.add_argument("--widths", default=",".join(map(str, WIDTHS)))

    def handle(self, *args: Any, **options: Any) -> None:
        """All of them, or what the options leave."""
        try:
            camera = importlib.import_module("webmail.shots.camera")
            pages = importlib.import_module("webmail.shots.pages")
        except ModuleNotFoundError as error:
            raise CommandError(
                f"{error.name} is not installed. Screenshots need the development tools: "
                "python3 deploy/bootstrap.py --dev"
            ) from None
        shots = _chosen(options["pages"], {shot.name: shot for shot in pages.SHOTS})
        looks = [
            camera.Look(language, theme, int(width))
            for language in _listed(options["languages"])
            for theme in _listed(options["themes"])
            for width in _listed(options["widths"])
        ]
        folder = settings.BASE_DIR / "shots"
        folder.mkdir(exist_ok=True)
        running = contextlib.nullcontext(options["base_url"].rstrip("/")) if options["base_url"] else demo_server()
        with running as base_url:
            failures = camera.take_all(base_url, folder, shots=shots, looks=looks, tell=self._tell)
        for failure in failures:
            self.stderr.write(f"{failure.file_name}: {failure.reason}")
        self.stdout.write(f"{len(shots) * len(looks) - len(failures)} pictures in {folder}")
        if failures:
            raise CommandError(f"{len(failures)} could not be taken.")

    def _tell(self, text: str) -> None:
        self.stdout.write(f"· {text}")
        self.stdout.flush()


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _chosen(names: str, known: dict[str, Any]) -> list[Any]:
    wanted = _listed(names) or list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise CommandError(f"Unknown: {', '.join(unknown)}. There are {', '.join(known)}.")
    return [known[name] for name in wanted]
