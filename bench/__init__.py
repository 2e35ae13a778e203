"""MEASURES the service as it is run, beside the limits of the same machine; `bin/bench` is the way in.

Nothing in the service imports it.
"""
