"""What pages, mail programs and workers may do with outgoing mail."""

from mta.services.cancel import cancel, send_now, take_back
from mta.services.submit import SubmitRequest, submit

__all__ = ["SubmitRequest", "cancel", "send_now", "submit", "take_back"]
