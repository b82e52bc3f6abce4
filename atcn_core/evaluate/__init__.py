"""Measures of pose and motion, and the tables printed from them. Nothing else imports this package."""
