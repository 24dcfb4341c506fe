"""`manage.py serve`: all of Globalmail on one machine, started, watched and stopped together."""
