"""A certificate with its private key as a server needs them, or why they cannot be used."""

import ssl
from pathlib import Path

from leadroutes.errors import Misconfigured


def server_context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Returns what a server offers TLS with; `key` is None where the certificate's file holds it.

    Raises Misconfigured: a file is not there, cannot be read, is not PEM, is encrypted, or the two do not fit.
    """
    for name, path in (("LEADROUTES_MAIL_CERTIFICATE", certificate), ("LEADROUTES_MAIL_CERTIFICATE_KEY", key)):
        try:
            if path is not None:
                path.open("rb").close()
        except OSError as error:
            raise Misconfigured(
                f"{name}: '{path}' was given; expected a PEM file that can be read ({error.strerror})"
            ) from error
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # else a terminal is asked for it
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        given = f"'{certificate}'" if key is None else f"'{certificate}' with the key '{key}'"
        raise Misconfigured(
            f"LEADROUTES_MAIL_CERTIFICATE: {given} was given; expected a certificate in PEM with its private key, which"
            f" is not encrypted ({error})"
        ) from error
    return context
