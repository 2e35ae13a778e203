"""BREAKS the service while it works, and looks afterwards whether anything was lost; `bin/chaos` is the way in.

Nothing in the service imports it.
"""
