"""Kinds of rules that an account may have."""

FILTER = "filter"
REPLY = "reply"
FORWARD = "forward"
MONITOR = "monitor"
"""Of everybody in a domain that has a rule of monitoring."""
