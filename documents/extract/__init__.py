"""The text inside a file, for search. `Sandbox` runs the readers in a process that may die; nothing else imports them."""

from documents.extract.sandbox import MAX_FILE_BYTES, Sandbox, is_readable

__all__ = ["MAX_FILE_BYTES", "Sandbox", "is_readable"]
