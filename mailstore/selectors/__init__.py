"""What may be known of mail. Every selector takes an `Access`, reads only, and is bounded."""
