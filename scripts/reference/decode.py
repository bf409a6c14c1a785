"""Images as torchvision's loader and Pillow see them: a task on standard input, the pixels of all on standard output.

Usage: decode.py < task.json, with [{"file", "before": {top, left, height, width}?, "resize": {height, width}, "after"?}].
"""

import json
import sys

from PIL import Image


def part(image, area):
    return image.crop((area["left"], area["top"], area["left"] + area["width"], area["top"] + area["height"])) if area else image


def main() -> None:
    for task in json.load(sys.stdin):
        image = Image.open(task["file"]).convert("RGB")
        resize = task["resize"]
        image = part(image, task.get("before")).resize((resize["width"], resize["height"]), Image.Resampling.BICUBIC)
        sys.stdout.buffer.write(part(image, task.get("after")).tobytes())


if __name__ == "__main__":
    main()
