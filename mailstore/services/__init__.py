"""What may be done to mail. Every service takes an `Access`, is one short transaction (bulk ones: one for each slice of
1,000 rows), and tells the change feed after commit."""
