"""The demo company: who is in it, whom it writes with, and a few hundred mails of the last weeks.

`company` makes domain, people and groups through the services; `letters/*.toml` are the mails as somebody would write
them down; `script` reads those, `mime` makes bytes of them, `post` delivers them through the real receiving road.
Everything is made again from the same texts, so two demos differ only by the day they were made on. Every name and
company is invented and every address lies in a domain reserved for examples (RFC 2606).
"""
