"""Pictures with few colours, at a third of their size: python -m tests.browser.smaller PICTURE ..."""

import sys
from pathlib import Path

from PIL import Image

COLORS = 256

if __name__ == "__main__":
    for name in sys.argv[1:]:
        with Image.open(name) as picture:
            # The octree keeps the few bright pixels of curves; without dithering flat areas stay flat, and text stays sharp.
            smaller = picture.convert("RGB").quantize(
                COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
            )
        before = Path(name).stat().st_size
        smaller.save(name, optimize=True)
        print(f"{name}: {before:,} to {Path(name).stat().st_size:,} bytes")
