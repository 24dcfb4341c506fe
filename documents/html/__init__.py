"""HTML of mail: cleaned for reading and for sending, turned into text and back. All bounded in time and memory."""
