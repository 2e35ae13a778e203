"""Pictures in the sandbox: what someone uploads is decoded, cut to a square and encoded anew.

`leadroutes.sandbox.tasks.pictures` implements it; only the child processes load that module.
"""

from typing import Final

from msgspec import Struct

from leadroutes.sandbox.work import SandboxFunction


class UploadedPicture(Struct, frozen=True):
    """A picture as it was sent."""

    content: bytes


class MadePicture(Struct, frozen=True):
    """A square JPEG, or the reason why there is none."""

    content: bytes = b""
    fault: str | None = None


MAKE_PICTURE: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.pictures:make", UploadedPicture, MadePicture, seconds=3.0
)
