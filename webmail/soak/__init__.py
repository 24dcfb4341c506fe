"""`manage.py soak`: mail flows through a whole installation while its processes are killed.

A temporary installation (place) is started as `serve` starts it, clients keep mail flowing (senders, pages, owner), a
killer sends SIGKILL to random processes, watchers look on. A client tells the ledger what it was promised; at the end
the store is held against the ledger (verdict). Nothing here touches the installation of the checkout.
"""
