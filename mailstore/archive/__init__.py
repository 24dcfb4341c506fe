"""One account with everything that is its own, in one file, and back into an empty mailbox. docs/backup.md has the format."""
