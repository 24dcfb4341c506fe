"""The DNS records that a domain needs: what they should be, and what they are."""
