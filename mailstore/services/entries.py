"""What may be done to entries that exist. Every one takes ids or a `Selection`."""

from mailstore.services.flags import Before, Changed, set_flags, set_flags_by_uid
from mailstore.services.holding import holding
from mailstore.services.moves import Moved, copy, delete, move, move_back
from mailstore.services.purge import purge, unrecover
from mailstore.services.recovery import Recovered, expire_recoverable, recover
from mailstore.services.selection import Selection

__all__ = [
    "Before",
    "Changed",
    "Moved",
    "Recovered",
    "Selection",
    "copy",
    "delete",
    "expire_recoverable",
    "holding",
    "move",
    "move_back",
    "purge",
    "recover",
    "set_flags",
    "set_flags_by_uid",
    "unrecover",
]
