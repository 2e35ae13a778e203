"""TwiML, the XML by which a provider is instructed what a call says and does. Pure; it decides nothing.

All that is foreign goes in as the text of an element or the value of an attribute, which the standard library escapes.
"""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

LANGUAGE = "en-US"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def response(*verbs: Element) -> str:
    """Returns the document that makes a call do these one after the other."""
    root = Element("Response")
    root.extend(verbs)
    document: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return document.decode()


def say(text: str) -> Element:
    """Reads the text aloud."""
    element = Element("Say", language=LANGUAGE)
    element.text = _NOT_IN_XML.sub(" ", text)
    return element


def gather(text: str, *, action: str, seconds: int) -> Element:
    """Reads the text aloud and waits for one digit, which goes to `action`; without one the next verb follows."""
    element = Element("Gather", action=action, input="dtmf", method="POST", numDigits="1", timeout=str(seconds))
    element.append(say(text))
    return element


def redirect(url: str) -> Element:
    """Goes on with the document at that address."""
    element = Element("Redirect", method="POST")
    element.text = url
    return element


def dial(number: str, *, caller: str, action: str, seconds: int) -> Element:
    """Connects the call to a number, which rings for so long; then `action` follows, whatever came of it."""
    element = Element("Dial", action=action, callerId=caller, method="POST", timeout=str(seconds))
    SubElement(element, "Number").text = number
    return element


def hang_up() -> Element:
    """Ends the call."""
    return Element("Hangup")
