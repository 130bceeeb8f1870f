"""A picture's file → an upright RGB image, or one line on why not.

Pictures come from feeds, so anything may stand in them. Their size is checked before a pixel is
decoded, only plain raster formats are opened, and whatever goes wrong becomes a `BadInput`. Needs
Pillow, which `pip install 'hookline[image]'` brings.
"""

from io import BytesIO
from pathlib import Path
from typing import Any, Final

from hookline.errors import BadInput
from hookline.perceive.encoders.packages import in_one_line, require

Picture = bytes | Path
"""A file, or its content."""
Image = Any
"""An image of Pillow's, which may not be installed where Hookline is checked."""

MAX_BYTES: Final = 32 * 2**20
"""Larger files are not read."""
MAX_PIXELS: Final = 25_000_000
"""Larger images are not decoded: it would take more than 100 MB each."""
DETAIL: Final = 512
"""A JPEG larger than this in both directions may be decoded at a fraction of its size."""
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Formats that a shop's feed may use; those that run programs or hold documents are not opened."""


def content(picture: Picture) -> bytes:
    """The bytes of a picture's file.

    Raises:
        BadInput: Where there is none, or it is too large.
    """
    if isinstance(picture, bytes):
        size = len(picture)
    else:
        try:
            size = picture.stat().st_size if picture.is_file() else -1
        except (OSError, ValueError) as error:
            raise BadInput(f"can't read the picture {picture}: {error}") from error
        if size < 0:
            raise BadInput(f"there is no picture {picture}")
    if size > MAX_BYTES:
        raise BadInput(f"the picture has {size:,} bytes; {MAX_BYTES:,} are the most that is read")
    try:
        return picture if isinstance(picture, bytes) else picture.read_bytes()
    except OSError as error:
        raise BadInput(f"can't read the picture {picture}: {error}") from error


def opened(picture: Picture) -> Image:
    """The picture as an upright RGB image, on white where it is see-through; of a film, the start.

    Raises:
        BadInput: Where it can't be read as an image, or is too large.
    """
    data = content(picture)
    try:
        return _decoded(data)
    except BadInput:
        raise
    except Exception as error:  # a broken file makes Pillow raise nearly anything
        raise BadInput(f"the picture can't be read: {in_one_line(error)}") from error


def _decoded(data: bytes) -> Image:
    pillow = require("PIL.Image", "image")
    pillow.init()
    known = [name for name in FORMATS if name in pillow.OPEN]
    try:
        image = pillow.open(BytesIO(data), formats=known)
    except pillow.UnidentifiedImageError as error:
        raise BadInput(f"the picture is not in a format of {', '.join(known)}") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise BadInput(
            f"the picture has {width:,} × {height:,} pixels; {MAX_PIXELS:,} are the most"
        )
    image.draft("RGB", (DETAIL, DETAIL))
    image = require("PIL.ImageOps", "image").exif_transpose(image)
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = pillow.new("RGBA", image.size, "white")
        image = pillow.alpha_composite(white, image)
    return image.convert("RGB")
