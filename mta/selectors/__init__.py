"""What authors may see of their mail on its way."""

from mta.selectors.deliveries import DeliveryRow, deliveries
from mta.selectors.log_pages import LogPage, Where
from mta.selectors.outbox import (
    HeldDraft,
    OutboxMail,
    gate_of,
    held_drafts,
    is_waiting,
    mark_of,
    outbox,
    outbox_content,
    outbox_mail,
    sent_before,
    was_here,
)
from mta.selectors.status import Status, delivery_log, status, status_of_entry

__all__ = [
    "DeliveryRow",
    "HeldDraft",
    "LogPage",
    "OutboxMail",
    "Status",
    "Where",
    "deliveries",
    "delivery_log",
    "gate_of",
    "held_drafts",
    "is_waiting",
    "mark_of",
    "outbox",
    "outbox_content",
    "outbox_mail",
    "sent_before",
    "status",
    "status_of_entry",
    "was_here",
]
