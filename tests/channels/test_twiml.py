"""The XML that instructs a call: what the provider's own classes make, and nothing that a stranger typed is markup."""

import xml.etree.ElementTree as ET

import pytest
from twilio.twiml.voice_response import VoiceResponse

from leadroutes.channels import twiml

HOSTILE = ("</Say><Hangup/>", "\"'><Dial>+19005550100</Dial>", "]]>&lt;&#0;", "Zoë 😀 \u202e", "<!ENTITY a 'b'>&a;")
AT = "https://leads.example/twilio/calls/abc?step=1&after=question"


def canonical(document: str) -> str:
    return ET.canonicalize(document)


def test_a_question_is_what_the_providers_classes_make() -> None:
    own = twiml.response(twiml.gather("Press 1 & claim.", action=AT, seconds=6), twiml.redirect(AT))
    theirs = VoiceResponse()
    gather = theirs.gather(action=AT, input="dtmf", method="POST", num_digits=1, timeout=6)
    gather.say("Press 1 & claim.", language="en-US")
    theirs.redirect(AT, method="POST")
    assert canonical(own) == canonical(str(theirs))


def test_a_connection_is_what_the_providers_classes_make() -> None:
    dial = twiml.dial("+13035550199", caller="+13035550100", action=AT, seconds=20)
    own = twiml.response(twiml.say("It is yours."), dial)
    theirs = VoiceResponse()
    theirs.say("It is yours.", language="en-US")
    theirs.dial(action=AT, caller_id="+13035550100", method="POST", timeout=20).number("+13035550199")
    assert canonical(own) == canonical(str(theirs))


def test_the_end_is_what_the_providers_classes_make() -> None:
    own = twiml.response(twiml.say("Goodbye."), twiml.hang_up())
    theirs = VoiceResponse()
    theirs.say("Goodbye.", language="en-US")
    theirs.hangup()
    assert canonical(own) == canonical(str(theirs))


@pytest.mark.parametrize("text", [*HOSTILE, "\x00\x0b\x1b[2J\ufffe", "a" * 100_000])
def test_a_text_is_characters_of_one_element(text: str) -> None:
    document = ET.fromstring(twiml.response(twiml.say(text), twiml.hang_up()))
    assert [each.tag for each in document.iter()] == ["Response", "Say", "Hangup"]
    assert len(document[0].text or "") == len(text)
