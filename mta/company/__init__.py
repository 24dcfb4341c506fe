"""What a company wants of all mail that its people send: footer, journal, forbidden files, rates, dead addresses."""
