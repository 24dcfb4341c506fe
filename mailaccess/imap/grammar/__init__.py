"""The language of IMAP without I/O: bytes to values and back. Knows no store, no socket."""
