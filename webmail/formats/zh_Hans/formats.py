"""Moments in tables: of one width, and the same in every language."""

DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y-m-d\N{NO-BREAK SPACE}H:i"
