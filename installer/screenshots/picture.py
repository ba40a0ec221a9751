"""A terminal's screen as a PNG in the colours of a PC's console, with its text in it."""

from __future__ import annotations

import io
import pathlib

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from screenshots.terminal import COLUMNS, LINES, Terminal

FONTS = pathlib.Path("/usr/share/fonts/truetype/dejavu")
"""Of Debian's package fonts-dejavu-core."""
SIZE = 16
CELL = (10, 20)
MARGIN = 10
TEXT = "Screen"
"""The name of the PNG's chunk with the text."""

_NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_DARK = ("000000", "aa0000", "00aa00", "aa5500", "0000aa", "aa00aa", "00aaaa", "aaaaaa")
_BRIGHT = ("555555", "ff5555", "55ff55", "ffff55", "5555ff", "ff55ff", "55ffff", "ffffff")
COLOURS = {
    **dict(zip(_NAMES, _DARK, strict=True)),
    **{f"bright{name}": colour for name, colour in zip(_NAMES, _BRIGHT, strict=True)},
}


def png(terminal: Terminal) -> bytes:
    """Draw a terminal's screen; its text is kept, for those who cannot see it and for checks."""
    described = PngImagePlugin.PngInfo()
    described.add_itxt(TEXT, terminal.text, zip=True)
    made = io.BytesIO()
    # The fewer colours, the smaller; these are a console's sixteen and their edges.
    reduced = _drawn(terminal).quantize(64, dither=Image.Dither.NONE)
    reduced.save(made, "PNG", optimize=True, pnginfo=described)
    return made.getvalue()


def _drawn(terminal: Terminal) -> Image.Image:
    width, height = COLUMNS * CELL[0] + 2 * MARGIN, LINES * CELL[1] + 2 * MARGIN
    image = Image.new("RGB", (width, height), f"#{COLOURS['black']}")
    draw = ImageDraw.Draw(image)
    fonts = {bold: _font("-Bold" if bold else "") for bold in (False, True)}
    for line in range(LINES):
        for column in range(COLUMNS):
            cell = terminal.screen.buffer[line][column]
            left, top = MARGIN + column * CELL[0], MARGIN + line * CELL[1]
            letter, ground = _colour(cell.fg, "white"), _colour(cell.bg, "black")
            if cell.reverse:
                letter, ground = ground, letter
            draw.rectangle((left, top, left + CELL[0] - 1, top + CELL[1] - 1), fill=ground)
            if cell.data.strip():
                draw.text((left, top), cell.data, fill=letter, font=fonts[cell.bold])
    return image


def _font(weight: str) -> ImageFont.FreeTypeFont:
    path = FONTS / f"DejaVuSansMono{weight}.ttf"
    return ImageFont.truetype(path, SIZE, layout_engine=ImageFont.Layout.BASIC)


def text_of(path: pathlib.Path) -> str:
    """The text that a picture keeps, empty where there is no such picture."""
    if not path.is_file():
        return ""
    with Image.open(path) as image:
        image.load()
        return str(image.info.get(TEXT, ""))


def _colour(name: str, default: str) -> str:
    return f"#{COLOURS[default if name == 'default' else name]}"
