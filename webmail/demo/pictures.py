"""Pictures made by code: product shots of lamps before a studio's ground, cartons, a company's mark."""

from __future__ import annotations

import functools
import io
import random

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 840, 560
GROUNDS = (("#e8edf5", "#b9c4d8"), ("#f4efe6", "#d8c9ae"), ("#e6f1ee", "#a9cdc2"), ("#efe8f3", "#c5b3d3"))


@functools.cache
def png(name: str) -> bytes:
    """A picture for a name: the same name, the same picture."""
    dice = random.Random(name)
    light, shade = dice.choice(GROUNDS)
    image = _ground(light, shade)
    draw = ImageDraw.Draw(image)
    shape = dice.choice((_panel, _spot, _bulb))
    if name.endswith("-hall"):
        shape = _hall
    else:
        _shadow(image)
    shape(draw, dice)
    _caption(draw, name)
    out = io.BytesIO()
    image.quantize(64).save(out, "PNG", optimize=False)
    return out.getvalue()


def _ground(light: str, shade: str) -> Image.Image:
    top, bottom = Image.new("RGB", (1, 2), light), Image.new("RGB", (1, 1), shade)
    top.paste(bottom, (0, 1))
    return top.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def _shadow(image: Image.Image) -> None:
    layer = Image.new("L", image.size, 0)
    ImageDraw.Draw(layer).ellipse((230, 430, 610, 490), fill=110)
    image.paste("#3a4353", (0, 0), layer.filter(ImageFilter.GaussianBlur(22)))


def _panel(draw: ImageDraw.ImageDraw, dice: random.Random) -> None:
    draw.rounded_rectangle((210, 110, 630, 440), 14, fill="#f9fafc", outline="#8e99ad", width=8)
    draw.rounded_rectangle((240, 140, 600, 410), 6, fill=dice.choice(("#fffbe9", "#f2f8ff", "#ffffff")))


def _spot(draw: ImageDraw.ImageDraw, dice: random.Random) -> None:
    body = dice.choice(("#2b2f38", "#e9ebef", "#9aa3b2"))
    draw.rectangle((400, 60, 440, 170), fill="#6d7686")
    draw.rounded_rectangle((320, 150, 520, 400), 26, fill=body)
    draw.ellipse((320, 350, 520, 450), fill=body)
    draw.ellipse((345, 370, 495, 440), fill="#fff3c4")


def _bulb(draw: ImageDraw.ImageDraw, dice: random.Random) -> None:
    draw.ellipse((310, 90, 530, 310), fill=dice.choice(("#fff6d6", "#fffdf4", "#fde9c0")), outline="#c9b98d", width=4)
    draw.polygon(((355, 290), (485, 290), (465, 370), (375, 370)), fill="#f7edcf")
    for step in range(4):
        draw.rounded_rectangle((372, 370 + step * 20, 468, 386 + step * 20), 6, fill="#a6adba")


def _hall(draw: ImageDraw.ImageDraw, dice: random.Random) -> None:
    """A long room under rows of lamps, seen from its end."""
    colours = ("#33405c", "#46557a", "#5d6d97", "#7b8ab1", "#a3aecb")
    for depth, colour in enumerate(colours):
        inset = depth * 70
        draw.rectangle((inset, inset * 2 // 3, WIDTH - inset, HEIGHT - inset * 2 // 3), fill=colour)
    for depth in range(5):
        for side in (-1, 0, 1):
            across, size = WIDTH // 2 + side * (250 - depth * 46), 44 - depth * 7
            down = 60 + depth * 42
            draw.ellipse((across - size, down - size // 3, across + size, down + size // 3), fill="#fff4c9")
    for _ in range(14):
        across, tall = dice.randint(80, WIDTH - 80), dice.randint(50, 110)
        draw.rounded_rectangle((across, 480 - tall, across + 22, 500), 10, fill=dice.choice(("#20293d", "#2c3750")))


def _caption(draw: ImageDraw.ImageDraw, name: str) -> None:
    shown = "".join(character for character in name if character.isascii())[:36].strip(" -")
    draw.text((32, HEIGHT - 44), shown or "FARVOYAGE", fill="#4a5468", font_size=20)
