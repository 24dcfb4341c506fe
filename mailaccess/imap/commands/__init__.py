"""One file for each command; what a client may say is exactly `registry.COMMANDS`."""
