-- Returns the installation's keys for push services, the private one sealed.
SELECT public_key, sealed FROM push_keys
