"""What is inside a file, and HTML made clean. A leaf: imports nothing of the project but `core.errors`."""
