"""CARRIES OUT. What happens to a stored lead: claims, assignments, due moments, campaigns. Serves no request."""
