"""The scenarios: one file each, each a function that yields figures; SCENARIOS is the list of them all."""
