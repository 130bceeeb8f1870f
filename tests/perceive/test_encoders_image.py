import math
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.perceive.encoders import CachedImages, image_encoder_named
from hookline.perceive.encoders.base import Floats
from hookline.perceive.encoders.image import ImageDescriptor
from hookline.perceive.encoders.pictures import MAX_BYTES

PIL = pytest.importorskip(
    "PIL.Image", reason="Pillow is not installed: pip install 'hookline[image]'"
)
DESCRIPTOR = ImageDescriptor.open()


def scene(width: int = 240, height: int = 160, *, hue: str = "red") -> Any:
    """A disc and a few bars on a light ground."""
    image = PIL.new("RGB", (width, height), "#f4f1ea")
    rows, columns = np.mgrid[:height, :width]
    disc = (columns - width / 3) ** 2 + (rows - height / 2) ** 2 < (height / 3) ** 2
    image.paste(hue, mask=PIL.fromarray(disc.astype(np.uint8) * 255))
    bars = (columns > 0.7 * width) & (columns * 12 // width % 2 == 0)
    image.paste("#333333", mask=PIL.fromarray(bars.astype(np.uint8) * 255))
    return image


def encoded(image: Any, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def seen(content: bytes) -> Floats:
    look = DESCRIPTOR.look(content)
    assert look.vector is not None, look.reason
    assert look.reason == ""
    assert look.vector.shape == (64,)
    assert look.vector.dtype == np.float32
    assert np.linalg.norm(look.vector) == pytest.approx(1, abs=1e-5)
    return look.vector


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_image_sees_the_same_in_any_format_and_size(kind: str) -> None:
    whole = seen(encoded(scene()))
    assert seen(encoded(scene(), kind)) @ whole > 0.98
    assert seen(encoded(scene(960, 640), kind)) @ whole > 0.98


def test_image_sees_other_colours_light_and_shapes() -> None:
    red = seen(encoded(scene()))
    assert seen(encoded(scene(hue="#2040ff"))) @ red < 0.97
    dark = PIL.fromarray(np.asarray(scene()) // 5)
    assert seen(encoded(dark)) @ red < 0.8
    assert seen(encoded(scene(160, 240))) @ red < seen(encoded(scene(244, 160))) @ red
    turned = scene().transpose(PIL.Transpose.ROTATE_90).resize((240, 160))
    assert seen(encoded(turned)) @ red < 0.97


def test_image_measures_what_it_says() -> None:
    rows = np.arange(96)[:, None].repeat(96, axis=1)
    stripes = PIL.fromarray(((rows // 8 % 2) * 255).astype(np.uint8)).convert("RGB")
    level = seen(encoded(stripes))
    edges = level[43:59].reshape(2, 8)
    assert edges[0].argmax() == edges[1].argmax() == 4  # light changes downwards: π/2
    upright = seen(encoded(stripes.transpose(PIL.Transpose.ROTATE_90)))[43:59].reshape(2, 8)
    assert upright[0].argmax() == 0
    half = PIL.new("RGB", (90, 90), "black")
    half.paste("white", (0, 0, 90, 30))
    light = seen(encoded(half))[:27].reshape(3, 3, 3)[..., 0]
    assert np.all(light[0] > 0)
    assert np.all(light[1:] < 0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_image_reads_every_common_mode(mode: str) -> None:
    if mode == "I;16":
        image = PIL.fromarray(np.full((20, 30), 900, dtype=np.uint16))
    else:
        image = scene(30, 20).convert(mode)
    seen(encoded(image, "TIFF" if mode == "CMYK" else "PNG"))


def test_image_lays_what_is_see_through_on_white() -> None:
    clear = PIL.new("RGBA", (20, 20), (0, 0, 0, 0))
    white = PIL.new("RGB", (20, 20), "white")
    assert np.array_equal(seen(encoded(clear)), seen(encoded(white)))


def test_image_turns_a_photo_upright() -> None:
    exif = PIL.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    lying = scene().transpose(PIL.Transpose.ROTATE_90)
    assert seen(encoded(lying, "PNG", exif=exif)) @ seen(encoded(scene())) > 0.999


def test_image_looks_at_the_first_of_many_frames() -> None:
    film = encoded(scene(), "GIF", save_all=True, append_images=[scene(hue="blue")], duration=90)
    assert np.array_equal(seen(film), seen(encoded(scene(), "GIF")))


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 2)])
def test_image_reads_the_smallest_pictures(size: tuple[int, int]) -> None:
    seen(encoded(PIL.new("RGB", size, "teal")))


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_image_vectors_are_sound_for_any_pixels(seed: int, width: int, height: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    content = encoded(PIL.fromarray(pixels))
    assert np.array_equal(seen(content), seen(content))


def bomb() -> bytes:
    """A PNG that says it has 60,000 pixels each way."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rows + chunk(b"IEND", b"")


def script() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"<html>404</html>",
        lambda: encoded(scene())[:200],
        lambda: encoded(scene(), "JPEG")[:400],
        lambda: encoded(scene(), "WEBP")[:60],
        lambda: encoded(scene())[:90] + bytes(300),
        bomb,
        lambda: encoded(PIL.new("1", (6000, 5000))),
        script,
        lambda: bytes(MAX_BYTES + 1),
    ],
)
def test_image_says_why_a_file_cannot_be_read(make: Callable[[], bytes]) -> None:
    look = DESCRIPTOR.look(make())
    assert look.vector is None
    assert look.reason.startswith("the picture")
    assert "\n" not in look.reason
    assert " at 0x" not in look.reason


@given(st.binary(max_size=300), st.integers(0, 2000))
def test_image_never_raises(noise: bytes, place: int) -> None:
    content = bytearray(encoded(scene(40, 30), "JPEG"))
    content[place : place + len(noise)] = noise
    look = DESCRIPTOR.look(bytes(content))
    assert (look.vector is None) == bool(look.reason)


def test_image_reads_files_and_says_which_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "shoe.png"
    assert "there is no picture" in DESCRIPTOR.look(path).reason
    assert "there is no picture" in DESCRIPTOR.look(tmp_path).reason
    assert DESCRIPTOR.look(Path("a\0b")).vector is None
    path.write_bytes(encoded(scene()))
    look = DESCRIPTOR.look(path)
    assert look.vector is not None
    assert np.array_equal(look.vector, seen(path.read_bytes()))


def test_cached_images_look_once_at_each_content(tmp_path: Path) -> None:
    looked: list[int] = []

    class Counting(ImageDescriptor):
        def describe(self, image: Any) -> Floats:
            looked.append(1)
            return super().describe(image)

    cached = CachedImages(Counting(), 2)
    content = encoded(scene())
    (tmp_path / "a.png").write_bytes(content)
    first = cached.look(content)
    assert cached.look(tmp_path / "a.png") is first
    assert first.vector is not None
    assert not first.vector.flags.writeable
    assert cached.look(b"broken").reason == cached.look(b"broken").reason != ""
    assert cached.look(tmp_path / "none.png").vector is None
    assert len(looked) == 1


def test_image_is_opened_by_name() -> None:
    encoder = image_encoder_named("image")
    assert (encoder.name, encoder.width, encoder.version) == ("image", 64, DESCRIPTOR.version)
    assert math.isclose(float(np.linalg.norm(encoder.describe(scene()))), 1, abs_tol=1e-5)
