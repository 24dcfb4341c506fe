"""Mail that is put aside: kept for seven calendar days, listed in a daily report, released by whom it is for."""
