"""What pages, mail programs and workers may do with outgoing mail."""

from mta.services.cancel import cancel
from mta.services.submit import SubmitRequest, submit

__all__ = ["SubmitRequest", "cancel", "submit"]
