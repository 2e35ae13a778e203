"""Templates that take long to fill in."""

ONE = "{{x|squish|size}}"
SLOW = "{% capture x %}" + "a" * 19_900 + "{% endcapture %}" + ONE * ((199_000 - 19_900) // len(ONE))
