"""Pictures of users: decoded and encoded anew, at an address that never changes, and nothing that takes the machine."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.support.api import Reply, ask
from tests.support.town import Town

RED, BLUE = (200, 0, 0), (0, 0, 200)


def a_picture(format_: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **about: Any) -> bytes:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    file = BytesIO()
    image.convert(mode).save(file, format_, **about)
    return file.getvalue()


async def put(town: Town, body: bytes, name: str = "alice", path: str = "/me/picture") -> Reply:
    return await ask(town, name, "PUT", path, body=body, headers={"Content-Type": "image/png"})


async def served(town: Town, address: str) -> Reply:
    assert address.startswith("https://leads.example/pictures/")
    return await ask(town, None, "GET", address.removeprefix("https://leads.example"))


def is_red(pixel: Any) -> bool:
    return bool(pixel[0] > 150 and pixel[2] < 60)


@pytest.mark.parametrize(
    ("format_", "mode"),
    [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGB")],
)
async def test_a_picture_is_made_anew_as_a_small_square(town: Town, format_: str, mode: str) -> None:
    reply = await put(town, a_picture(format_, mode=mode))
    assert reply.status == 200, reply.body
    assert reply.json["id"] == town.users["alice"]
    shown = await served(town, reply.json["profile_picture"])
    assert (shown.status, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.headers["cache-control"] == "public, max-age=31536000, immutable"
    with Image.open(BytesIO(shown.body)) as image:
        assert (image.format, image.size) == ("JPEG", (256, 256))
        if mode != "L":
            assert is_red(image.getpixel((5, 128)))
            assert not is_red(image.getpixel((250, 128)))


async def test_a_picture_is_turned_as_the_camera_says_and_loses_all_else(town: Town) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise: the left side becomes the top
    exif[0x010E] = "taken at home"
    reply = await put(town, a_picture("JPEG", exif=exif))
    shown = await served(town, reply.json["profile_picture"])
    assert b"taken at home" not in shown.body
    with Image.open(BytesIO(shown.body)) as image:
        assert is_red(image.getpixel((128, 5)))
        assert not is_red(image.getpixel((128, 250)))


async def test_transparent_parts_become_white(town: Town) -> None:
    file = BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(file, "PNG")
    shown = await served(town, (await put(town, file.getvalue())).json["profile_picture"])
    with Image.open(BytesIO(shown.body)) as image:
        assert min(image.getpixel((128, 128))) > 250  # type: ignore[type-var,arg-type]


async def test_a_new_picture_has_a_new_address_and_a_removed_one_none(town: Town) -> None:
    first = (await put(town, a_picture())).json["profile_picture"]
    second = (await put(town, a_picture(mode="L"))).json["profile_picture"]
    assert first != second
    assert (await served(town, first)).status == 404
    removed = await ask(town, "alice", "DELETE", "/me/picture")
    assert (removed.status, removed.json["profile_picture"]) == (200, None)
    assert (await served(town, second)).status == 404
    assert (await ask(town, None, "GET", "/pictures/..%2Fetc")).status == 404


def a_bomb() -> bytes:
    """A small file that is 60,000 by 60,000 pixels when it is decoded, as its header says."""
    content = bytearray(a_picture())
    content[16:24] = (60_000).to_bytes(4) * 2
    return bytes(content)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        a_picture()[:200],
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
        a_bomb(),
        b"x" * 524_289,
    ],
    ids=["nothing", "GIF", "SVG", "cut off", "damaged", "bomb", "too large"],
)
async def test_what_is_no_picture_is_refused(town: Town, body: bytes) -> None:
    reply = await put(town, body)
    assert reply.status == 400
    assert await town.database.fetchval("SELECT count(*) FROM pictures") == 0


async def test_administrators_set_pictures_of_others(town: Town) -> None:
    path = f"/users/{town.users['bob']}/picture"
    assert (await put(town, a_picture(), path=path)).status == 403
    assert (await put(town, a_picture(), name="dave", path=path)).status == 404
    await town.database.execute("UPDATE users SET is_admin = true WHERE id = $1", town.users["alice"])
    reply = await put(town, a_picture(), path=path)
    assert (reply.status, reply.json["id"]) == (200, town.users["bob"])
    assert (await served(town, reply.json["profile_picture"])).status == 200
    assert (await ask(town, "carol", "DELETE", path)).status == 403
    assert (await ask(town, "alice", "DELETE", path)).json["profile_picture"] is None
