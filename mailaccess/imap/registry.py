"""The commands: name to function and the states in which it may be said. CAPABILITY is made of what is here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mailaccess.imap.commands import (
    append,
    authenticate,
    capability,
    close,
    compress,
    copy,
    enable,
    expunge,
    fetch,
    folders,
    identify,
    idle,
    listing,
    login,
    logout,
    metadata,
    namespace,
    noop,
    notify,
    quota,
    replace,
    rights,
    search,
    select,
    sort,
    starttls,
    status,
    store,
    thread,
)
from mailaccess.imap.grammar.cursor import Cursor
from mailaccess.imap.session import Answer, Session, State


@dataclass(frozen=True, slots=True)
class Entry:
    """A command. `by_uid` runs `UID name`."""

    run: Callable[[Session, Cursor], Awaitable[Answer]]
    states: State
    by_uid: Callable[[Session, Cursor], Awaitable[Answer]] | None = None


COMMANDS: dict[bytes, Entry] = {
    b"CAPABILITY": Entry(capability.run, State.ANY),
    b"NOOP": Entry(noop.run, State.ANY),
    b"CHECK": Entry(noop.run, State.SELECTED),
    b"LOGOUT": Entry(logout.run, State.ANY),
    b"ID": Entry(identify.run, State.ANY),
    b"STARTTLS": Entry(starttls.run, State.GUEST),
    b"LOGIN": Entry(login.run, State.GUEST),
    b"AUTHENTICATE": Entry(authenticate.run, State.GUEST),
    b"ENABLE": Entry(enable.run, State.SIGNED_IN),
    b"NAMESPACE": Entry(namespace.run, State.SIGNED_IN),
    b"SELECT": Entry(select.select, State.SIGNED_IN),
    b"EXAMINE": Entry(select.examine, State.SIGNED_IN),
    b"CLOSE": Entry(close.close, State.SELECTED),
    b"UNSELECT": Entry(close.unselect, State.SELECTED),
    b"LIST": Entry(listing.run, State.SIGNED_IN),
    b"LSUB": Entry(listing.lsub, State.SIGNED_IN),
    b"STATUS": Entry(status.run, State.SIGNED_IN),
    b"FETCH": Entry(fetch.fetch, State.SELECTED, fetch.uid_fetch),
    b"STORE": Entry(store.store, State.SELECTED, store.uid_store),
    b"COPY": Entry(copy.copy, State.SELECTED, copy.uid_copy),
    b"MOVE": Entry(copy.move, State.SELECTED, copy.uid_move),
    b"SEARCH": Entry(search.search, State.SELECTED, search.uid_search),
    b"SORT": Entry(sort.sort, State.SELECTED, sort.uid_sort),
    b"THREAD": Entry(thread.thread, State.SELECTED, thread.uid_thread),
    b"EXPUNGE": Entry(expunge.expunge, State.SELECTED, expunge.uid_expunge),
    b"APPEND": Entry(append.run, State.SIGNED_IN),
    b"REPLACE": Entry(replace.replace, State.SELECTED, replace.uid_replace),
    b"CREATE": Entry(folders.create, State.SIGNED_IN),
    b"DELETE": Entry(folders.delete, State.SIGNED_IN),
    b"RENAME": Entry(folders.rename, State.SIGNED_IN),
    b"SUBSCRIBE": Entry(folders.subscribe, State.SIGNED_IN),
    b"UNSUBSCRIBE": Entry(folders.unsubscribe, State.SIGNED_IN),
    b"IDLE": Entry(idle.run, State.SIGNED_IN),
    b"NOTIFY": Entry(notify.run, State.SIGNED_IN),
    b"COMPRESS": Entry(compress.run, State.SIGNED_IN),
    b"GETQUOTA": Entry(quota.quota, State.SIGNED_IN),
    b"GETQUOTAROOT": Entry(quota.quota_root, State.SIGNED_IN),
    b"GETMETADATA": Entry(metadata.get, State.SIGNED_IN),
    b"SETMETADATA": Entry(metadata.put, State.SIGNED_IN),
    b"MYRIGHTS": Entry(rights.my_rights, State.SIGNED_IN),
    b"GETACL": Entry(rights.get_list, State.SIGNED_IN),
    b"LISTRIGHTS": Entry(rights.list_rights, State.SIGNED_IN),
    b"SETACL": Entry(rights.set_rights, State.SIGNED_IN),
    b"DELETEACL": Entry(rights.delete_rights, State.SIGNED_IN),
}
