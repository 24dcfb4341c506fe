"""Django's SQLite backend with the turnstile in front of every write transaction.

`transaction_mode: IMMEDIATE` is required: a deferred transaction that reads and then writes fails at once
when another process wrote in between. Writes outside `atomic()` pass the turnstile statement by statement.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.backends.sqlite3 import base

from core.sqlite.locks import Turnstile

Database = base.Database  # type: ignore[attr-defined]  # Django looks for it here
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class DatabaseWrapper(base.DatabaseWrapper):
    """SQLite whose writers of all processes take turns."""

    turnstile: Turnstile | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open the file and, unless it lives in memory, its turnstile."""
        connection = super().get_new_connection(conn_params)
        name = str(conn_params["database"])
        if self.turnstile is None and not self.is_in_memory_db() and not name.startswith("file:"):
            self.turnstile = Turnstile(name)
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        self._enter()
        try:
            if self._is_watched():
                super()._start_transaction_under_autocommit()  # type: ignore[misc]
            else:  # Django's cursor takes longer than SQLite
                with self.wrap_database_errors:
                    self.connection.execute(f"BEGIN {self.transaction_mode}")  # type: ignore[attr-defined]
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> None:
        if self._is_watched():
            super()._commit()  # type: ignore[misc]
        else:
            with self.wrap_database_errors:
                self.connection.commit()
        self._leave()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._leave()

    def _close(self) -> None:
        super()._close()  # type: ignore[misc]
        if self.turnstile is not None:
            self.turnstile.close()
            self.turnstile = None

    def quick_cursor(self, query: str, params: Sequence[Any]) -> Any:
        """A driver's cursor that has executed `query` inside a transaction, or one that only reads; None where Django's
        cursor is needed.

        Django's own takes 10 µs for each statement, and the deliver path makes 15 of them for one mail.
        """
        if self._is_watched() or self.needs_rollback:
            return None
        if not (self.in_atomic_block or query.startswith("SELECT ")):  # what writes takes its turn
            return None
        with self.wrap_database_errors:
            return self.connection.execute(_with_question_marks(query), params)

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor that passes the turnstile for a write outside a transaction."""
        assert self.connection is not None
        return self.connection.cursor(factory=_cursor_class(self))

    def _is_watched(self) -> bool:
        """Whether somebody wants to hear of statements, or there is nothing yet to give them to: Django's way then."""
        return self.connection is None or bool(self.execute_wrappers) or self.queries_logged

    def _enter(self) -> None:
        if self.turnstile is not None:
            self.turnstile.acquire()

    def _leave(self) -> None:
        if self.turnstile is not None:
            self.turnstile.release()


def _cursor_class(wrapper: DatabaseWrapper) -> Callable[..., base.SQLiteCursorWrapper]:
    def make(connection: Any) -> base.SQLiteCursorWrapper:
        cursor = TurnstileCursor(connection)
        cursor.wrapper = wrapper
        return cursor

    return make


@functools.lru_cache(maxsize=1024)
def _with_question_marks(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


class TurnstileCursor(base.SQLiteCursorWrapper):
    """Takes the turnstile around a single writing statement in autocommit mode."""

    wrapper: DatabaseWrapper

    def execute(self, query: str, params: Any = None) -> Any:
        """Run one statement."""
        return self._taking_turn(query, lambda: base.SQLiteCursorWrapper.execute(self, query, params))

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        """Run one statement for each parameter list."""
        return self._taking_turn(query, lambda: base.SQLiteCursorWrapper.executemany(self, query, param_list))

    def convert_query(self, query: str, *, param_names: list[str] | None = None) -> str:
        """Django's `%s` as `?`; remembered, because the hot paths repeat a few statements for ever."""
        if param_names is None:
            return _with_question_marks(query)
        return str(super().convert_query(query, param_names=param_names))

    def _taking_turn(self, query: str, run: Callable[[], Any]) -> Any:
        wrapper = self.wrapper
        alone = not wrapper.in_atomic_block and query.lstrip()[:7].upper().startswith(WRITES)
        if not alone or wrapper.turnstile is None or wrapper.turnstile.held:
            return run()
        wrapper.turnstile.acquire()
        try:
            return run()
        finally:
            wrapper.turnstile.release()
