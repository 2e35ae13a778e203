"""WAKES THE ENGINE. Due work, delivery of messages, retention. Serves no page."""
