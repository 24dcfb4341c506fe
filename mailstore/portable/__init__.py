"""Mail in the forms that other programs read: mbox, Maildir, .eml files and zips of them; in and out, as streams."""
