"""Addresses of the internet protocol, as forms name them. Pure."""

import ipaddress


def is_ip_address(text: str) -> bool:
    """Returns whether a text is an address of version 4 or 6."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
