"""What a client said wrong."""

from __future__ import annotations


class ImapSyntaxError(Exception):
    """The command is not in the grammar; answered BAD. The text is for a person reading a protocol log."""
