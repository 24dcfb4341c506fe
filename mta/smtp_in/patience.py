"""What a client may try: refused commands, and commands that lead to no message, before its connection is closed."""

from __future__ import annotations

from mta.smtp_in import replies

ERRORS_MAX = 20
"""Refused commands before the connection is closed."""
IDLE_COMMANDS_MAX = 100
"""Commands that lead to no message (NOOP, RSET, VRFY …) before the connection is closed."""


class Patience:
    """With one client; `is_over` once it has had enough."""

    def __init__(self) -> None:
        self.is_over = False
        self._errors = 0
        self._idle_commands = 0

    def note_idle(self) -> None:
        """A command that leads to no message."""
        self._idle_commands += 1

    def note_message(self) -> None:
        """A message came: it was worth it."""
        self._idle_commands = 0

    def judge(self, answer: bytes) -> bytes:
        """What is answered in the end."""
        if answer.startswith(b"5"):
            self._errors += 1
            if self._errors > ERRORS_MAX:
                self.is_over = True
                return answer + replies.TOO_MANY_ERRORS
        if self._idle_commands > IDLE_COMMANDS_MAX:
            self.is_over = True
            return replies.TOO_IDLE
        return answer
