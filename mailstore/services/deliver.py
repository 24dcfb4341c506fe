"""Delivering: prepare the bytes, then store them in one's own transaction, or hand them to this process's writer."""

from mailstore.services.incoming import Incoming, Placement, Prepared, prepare
from mailstore.services.store import Stored, store
from mailstore.writer import deliver, deliver_async

__all__ = ["Incoming", "Placement", "Prepared", "Stored", "deliver", "deliver_async", "prepare", "store"]
