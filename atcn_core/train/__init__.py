"""Training the lifting network on motion capture seen by virtual cameras. Nothing else imports this package."""
