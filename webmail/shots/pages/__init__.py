"""The pages that are photographed, by area; each is a function that brings a browser there."""

from __future__ import annotations

from webmail.shots.pages import administration, doors, gateway, lists, ways, writing

SHOTS = (*doors.SHOTS, *lists.SHOTS, *writing.SHOTS, *ways.SHOTS, *gateway.SHOTS, *administration.SHOTS)
