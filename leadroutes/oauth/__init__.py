"""LETS APPLICATIONS IN: OAuth2, by Authlib's rules on what the store has loaded. Knows no HTTP framework."""
