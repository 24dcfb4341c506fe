"""TLS certificates of customers' hosts: uploaded or had by ACME, kept in rows, written to files for the servers."""
