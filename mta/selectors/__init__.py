"""What authors may see of their mail on its way."""

from mta.selectors.deliveries import DeliveryRow, deliveries
from mta.selectors.outbox import OutboxMail, gate_of, is_waiting, outbox

__all__ = ["DeliveryRow", "OutboxMail", "deliveries", "gate_of", "is_waiting", "outbox"]
