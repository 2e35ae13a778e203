"""What others wrote is worked out apart from the service: in processes of its own, with a limit on time and memory.

Decides nothing and knows no database.
"""
