"""Everything an installation is, in one directory, and back: while it runs, without stopping mail."""
