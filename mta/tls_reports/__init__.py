"""TLS reports (RFC 8460): what became of TLS towards other domains, counted while mail leaves and told them daily."""
