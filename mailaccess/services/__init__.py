"""What is written for mail programs."""

from mailaccess.services.pop_settings import set_pop_settings

__all__ = ["set_pop_settings"]
