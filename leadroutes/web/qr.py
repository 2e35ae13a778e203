"""Pictures that a phone reads."""

from io import BytesIO

import segno


def qr_svg(text: str) -> str:
    """Returns a QR code as an SVG element without styles."""
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", scale=5, border=4, light="white", xmldecl=False, svgns=False, nl=False
    )
    return out.getvalue().decode("utf-8")
