"""What we sign, the libraries of Standard Webhooks verify, in Python and in JavaScript."""

import base64
import json
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from leadroutes.security.webhook_signature import SECRET_BYTES, new_webhook_secret, signed_headers
from tests.support.javascript import NodeJs

BODY = '{"type":"lead.arrived","timestamp":"2026-11-29T10:00:00.000Z","data":{"name":"Zoë"}}'.encode()


def test_a_secret_has_the_form_that_receivers_expect() -> None:
    secret = new_webhook_secret()

    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == SECRET_BYTES == 24
    assert secret != new_webhook_secret()


def test_the_python_library_verifies_it() -> None:
    secret = new_webhook_secret()
    headers = signed_headers([secret], "msg_1", int(time.time()), BODY)

    assert Webhook(secret).verify(BODY, dict(headers)) == json.loads(BODY)


def test_both_secrets_verify_after_a_rotation() -> None:
    new, old, other = new_webhook_secret(), new_webhook_secret(), new_webhook_secret()
    headers = dict(signed_headers([new, old], "msg_1", int(time.time()), BODY))

    for secret in (new, old):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)


@pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp"])
def test_whatever_is_changed_does_not_verify(changed: str) -> None:
    secret = new_webhook_secret()
    headers = dict(signed_headers([secret], "msg_1", int(time.time()), BODY))
    if changed != "body":
        headers[changed] = {"webhook-id": "msg_2", "webhook-timestamp": str(int(time.time()) + 1)}[changed]

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" " if changed == "body" else BODY, headers)


async def test_the_javascript_library_verifies_it(node_js: NodeJs) -> None:
    secret = new_webhook_secret()
    headers = dict(signed_headers([secret], "msg_1", int(time.time()), BODY))

    good = await node_js.run("standardwebhooks.cjs", secret, json.dumps(headers), BODY.decode())
    bad = await node_js.run("standardwebhooks.cjs", secret, json.dumps(headers), BODY.decode() + " ")

    assert good == (0, "lead.arrived\n")
    assert bad[0] == 1
