"""Random load on IMAP whose every answer is compared with what earlier answers said: `manage.py stress`."""
