"""DMARC aggregate reports (RFC 7489 7.2): counted while mail is judged, sent daily, and those of others read."""
