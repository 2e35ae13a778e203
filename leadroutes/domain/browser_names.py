"""What a browser is called in a list of sessions: `Firefox on Windows`, read from its User-Agent header."""

BROWSERS = (  # in this order: Edge and others name Chrome, and nearly all name Safari
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("FxiOS", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (  # Android names Linux, iPhones and iPads name Mac OS X
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
UNKNOWN = "Unknown browser"
LONGEST = 1_000  # characters of the header that are looked at


def browser_name(user_agent: str | None) -> str:
    """Returns the name of a browser and its system, as far as they are known."""
    text = (user_agent or "")[:LONGEST]
    browser = next((name for mark, name in BROWSERS if mark in text), None)
    system = next((name for mark, name in SYSTEMS if mark in text), None)
    if browser and system:
        return f"{browser} on {system}"
    return browser or (f"{UNKNOWN} on {system}" if system else UNKNOWN)
