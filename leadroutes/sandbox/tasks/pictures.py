"""Decodes an uploaded picture and makes a small square JPEG of it, without anything else that the file holds."""

from io import BytesIO
from typing import Final

from PIL import Image, ImageOps

from leadroutes.sandbox.pictures import MadePicture, UploadedPicture

SIDE: Final = 256  # pixels
MOST_PIXELS: Final = 25_000_000  # a smaller file can hold many more, and would take gigabytes when it is decoded
FORMATS: Final = ("PNG", "JPEG", "WEBP")
WHITE: Final = (255, 255, 255)
ORIENTATION: Final = 0x0112  # of EXIF: how a camera was held
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
Image.MAX_IMAGE_PIXELS = None  # checked here, before anything is decoded


def make(asked: UploadedPicture) -> MadePicture:
    """Returns the picture, its middle if it is not square, on white where it is transparent."""
    try:
        with Image.open(BytesIO(asked.content), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                return MadePicture(fault=f"{width} x {height} pixels were given; expected at most 25 million")
            return MadePicture(content=_square(image))
    except (OSError, ValueError, SyntaxError, EOFError):  # what Pillow raises for files that are damaged or none
        return MadePicture(fault="it cannot be read; expected a PNG, JPEG or WebP picture")


def _square(image: Image.Image) -> bytes:
    image.draft("RGB", (2 * SIDE, 2 * SIDE))  # decodes a large JPEG at once into a smaller one
    turn = _TURNS.get(image.getexif().get(ORIENTATION, 1))
    has_colours = image.mode in ("RGB", "RGBA", "L", "LA", "CMYK", "YCbCr")
    small = ImageOps.fit(image if has_colours else image.convert("RGBA"), (SIDE, SIDE))
    if turn is not None:
        small = small.transpose(turn)
    ground = Image.new("RGB", small.size, WHITE)
    layer = small.convert("RGBA")
    ground.paste(layer, mask=layer.getchannel("A"))
    file = BytesIO()
    ground.save(file, "JPEG", quality=88, optimize=True)
    return file.getvalue()
