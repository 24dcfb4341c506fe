"""What each recipient wants done with his mail: filters, automatic replies, forwarding. Values and pure functions."""
