"""KEEPS SECRETS. The installation's key, encryption at rest, signed links, rate limits, private files."""
