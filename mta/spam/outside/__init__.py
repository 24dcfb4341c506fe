"""Judges and scanners outside this process: clamd, rspamd, SpamAssassin's spamd. None is needed; each is bounded in time,
and left alone for a while when it does not answer."""
