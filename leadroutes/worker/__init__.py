"""Background work: what is due, delivery of messages, retention. Serves no requests."""
