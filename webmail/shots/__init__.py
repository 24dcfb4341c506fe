"""`manage.py shots`: pictures of every page in both languages, both themes and two widths, taken from the demo."""
