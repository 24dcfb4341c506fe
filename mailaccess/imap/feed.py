"""The change feed of this process, shared by its sessions."""

from __future__ import annotations

from mailstore.feed import Feed

feed = Feed()
