"""The tables of mail on its way."""

from mta.models.accepted import Accepted
from mta.models.outgoing import Delivery, Submission

__all__ = ["Accepted", "Delivery", "Submission"]
