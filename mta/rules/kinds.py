"""Kinds of rules that an account may have."""

FILTER = "filter"
REPLY = "reply"
FORWARD = "forward"
