"""Templates that take long to fill in."""

ONE = "{{x|squish|size}}"
BEGIN = "{% capture x %}" + "a" * 19_900 + "{% endcapture %}"
SLOW = BEGIN + ONE * ((199_000 - len(BEGIN)) // len(ONE))
"""Longer than a process may take for one."""
LONG = BEGIN + ONE * 1_000
"""Not longer than that, but long."""
