"""The worker process (heavy) and its client (light), joined by one protocol of JSON lines."""
