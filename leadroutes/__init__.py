"""Lead Routes: every lead in, exactly one agent has it, the campaign runs."""

__version__ = "0.1.0"
