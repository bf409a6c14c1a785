"""What Pillow, torchvision and timm make of images, and what they draw, for the tests of src/augment.

    python scripts/reference/augment.py < REQUEST > RESPONSE
    python scripts/reference/augment.py --fixture test/augment/fixtures/operations.json     # what is stored

REQUEST: {"images": [image], "cases": [{"image": index, "operation": name, "arguments": [number]}], "samples": [{"of":
name, "count": number, ...}]}; RESPONSE: {"cases": [image], "samples": [[number or list of numbers]], "levels": {list:
{operation: {magnitude: [levels that occur]}}}}. An image is {"height", "width", "channels", "values"}, the last in
base64. OPERATIONS and SAMPLES below are the names. Needs torch, torchvision, timm 1.0 and Pillow.
"""

import argparse
import base64
import json
import random
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from mend_torchvision import mend_torchvision
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

mend_torchvision()
from timm.data import auto_augment, random_erasing  # noqa: E402
from timm.data.transforms_factory import transforms_imagenet_eval  # noqa: E402
from torchvision import transforms  # noqa: E402
from torchvision.transforms import functional as F  # noqa: E402

BICUBIC = Image.Resampling.BICUBIC
FILL = (124, 116, 104)
SEED = 20


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fixture", type=Path, help="file that receives the stored cases")
    fixture = parser.parse_args().fixture
    with mock.patch.object(ImageOps, "posterize", posterize):
        if fixture:
            fixture.write_text(stored())
            return
        request = json.load(sys.stdin)
        images = [decoded(image) for image in request["images"]]
        cases = [encoded(apply(images[case["image"]], case)) for case in request["cases"]]
        samples = [sample(request["images"], **wanted) for wanted in request["samples"]]
        json.dump({"cases": cases, "samples": samples, "levels": levels()}, sys.stdout)


def posterize(image, bits, original=ImageOps.posterize):
    """Pillow 13 refuses 0 bits, which timm asks for at magnitude 10; before, the image became black."""
    return original(image, bits) if bits > 0 else Image.new(image.mode, image.size)


def fill(image):
    return FILL if image.mode == "RGB" else FILL[0]


def affine(name):
    operation = auto_augment.NAME_TO_OP[name]
    return lambda image, level: operation(image, level, resample=BICUBIC, fillcolor=fill(image))


def of_timm(name):
    def run(image, *level):
        return auto_augment.NAME_TO_OP[name](image, *level, resample=BICUBIC, fillcolor=fill(image))

    return run


def test_view(image, side, test_crop):
    transform = transforms_imagenet_eval(side, test_crop, interpolation="bicubic", use_prefetcher=True)
    return F.to_pil_image(transform(image))


OPERATIONS = {
    "resize": lambda image, height, width: image.resize((int(width), int(height)), BICUBIC),
    "resizedCrop": lambda image, top, left, height, width, side: F.resized_crop(
        image, top, left, height, width, [side, side], F.InterpolationMode.BICUBIC
    ),
    "testView": test_view,
    "grayscale": lambda image: F.to_grayscale(image, 3) if image.mode == "RGB" else image,
    "solarize": ImageOps.solarize,
    "solarizeAdd": auto_augment.solarize_add,
    "posterize": lambda image, bits: ImageOps.posterize(image, bits),
    "invert": ImageOps.invert,
    "autocontrast": ImageOps.autocontrast,
    "equalize": ImageOps.equalize,
    "brightness": lambda image, factor: ImageEnhance.Brightness(image).enhance(factor),
    "contrast": lambda image, factor: ImageEnhance.Contrast(image).enhance(factor),
    "saturation": lambda image, factor: ImageEnhance.Color(image).enhance(factor),
    "sharpness": lambda image, factor: ImageEnhance.Sharpness(image).enhance(factor),
    "rotate": affine("Rotate"),
    "shearX": affine("ShearX"),
    "shearY": affine("ShearY"),
    "translateX": affine("TranslateX"),
    "translateY": affine("TranslateY"),
    "gaussianBlur": lambda image, radius: image.filter(ImageFilter.GaussianBlur(radius)),
    **{f"timm.{name}": of_timm(name) for name in auto_augment.NAME_TO_OP},
}


def apply(image, case):
    return OPERATIONS[case["operation"]](image, *case["arguments"])




def sample(images, of, count, image=None, **options):
    random.seed(SEED)
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    picture = None if image is None else decoded(images[image])
    draw = SAMPLES[of](picture, **options) if picture else SAMPLES[of](**options)
    return [draw() for _ in range(count)]


def resized_crops(height, width, scale):
    """(top, left, height, width) of each."""
    image = Image.new("L", (width, height))
    return lambda: transforms.RandomResizedCrop.get_params(image, [scale, 1.0], [3 / 4, 4 / 3])


def erasures(height, width, probability):
    """(top, left, height, width) of each, or nothing."""
    erasing = random_erasing.RandomErasing(probability, mode="pixel", max_count=1, device="cpu")

    def draw():
        image = erasing(torch.zeros(1, height, width))[0]
        rows, columns = (image.any(axis).nonzero().flatten() for axis in (1, 0))
        return [int(rows[0]), int(columns[0]), len(rows), len(columns)] if len(rows) else []

    return draw


def magnitudes(magnitude, std):
    seen = []
    op = auto_augment.AugmentOp("Invert", prob=1.0, magnitude=magnitude, hparams={"magnitude_std": std})
    op.level_fn = lambda value, _: seen.append(value) or ()
    image = Image.new("RGB", (1, 1))

    def draw():
        op(image)
        return seen.pop()

    return draw


def mean_after(transform, image):
    return lambda: float(np.asarray(transform(image), dtype=np.float64).mean())


def three_augment(image):
    return mean_after(auto_augment.auto_augment_transform("3a", {}), image)


def rand_augment(image, config):
    settings = {"img_mean": FILL, "interpolation": BICUBIC}
    return mean_after(auto_augment.rand_augment_transform(config, settings), image)


def color_jitter(image, strength):
    return mean_after(transforms.ColorJitter(strength, strength, strength), image)


def resized_crop(image, scale, side):
    cropped = transforms.RandomResizedCrop(side, (scale, 1.0), interpolation=F.InterpolationMode.BICUBIC)
    return mean_after(cropped, image)


SAMPLES = {
    "resizedCrops": resized_crops,
    "erasures": erasures,
    "magnitudes": magnitudes,
    "threeAugment": three_augment,
    "randAugment": rand_augment,
    "colorJitter": color_jitter,
    "resizedCrop": resized_crop,
}


def levels():
    """Of both lists of operations, the levels that occur at the magnitudes 0, 0.5, ... 10."""
    lists = {"standard": auto_augment._RAND_TRANSFORMS, "increasing": auto_augment._RAND_INCREASING_TRANSFORMS}
    return {kind: {name: levels_of(name) for name in names} for kind, names in lists.items()}


def levels_of(name):
    level_fn = auto_augment.LEVEL_TO_ARG[name]
    if level_fn is None:
        return {}
    found = {}
    for magnitude in np.arange(0, 10.5, 0.5).tolist():
        found[f"{magnitude:g}"] = []
        for uniform in (0.25, 0.75):
            with mock.patch.object(random, "random", lambda: uniform):
                found[f"{magnitude:g}"].append(level_fn(magnitude, {})[0])
    return found



STORED = [
    ("resize", 7, 9),
    ("resize", 21, 19),
    ("resizedCrop", 3, 1, 11, 14, 8),
    ("testView", 12, 0.9),
    ("grayscale",),
    ("solarize", 128),
    ("solarizeAdd", 70),
    ("posterize", 3),
    ("posterize", 0),
    ("invert",),
    ("autocontrast",),
    ("equalize",),
    ("brightness", 0.4),
    ("contrast", 1.7),
    ("saturation", 1.8),
    ("sharpness", 0.2),
    ("sharpness", 1.9),
    ("rotate", -27.0),
    ("shearX", 0.25),
    ("shearY", -0.15),
    ("translateX", -5.3),
    ("translateY", 4.6),
    ("gaussianBlur", 0.6),
    ("gaussianBlur", 2.0),
]


def stored():
    """A gradient with a disc, a bar and noise, and what becomes of it; in the layout of the project's formatter."""
    y, x = np.mgrid[0:16, 0:16]
    values = np.stack([40 + 8 * x, 200 - 9 * y, 90 + 4 * x - 3 * y], axis=-1)
    values[(x - 5) ** 2 + (y - 6) ** 2 < 12] = (210, 60, 30)
    values[12:14, 3:15] = (15, 20, 235)
    values += np.random.default_rng(SEED).integers(-12, 13, values.shape)
    image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    lines = ["{", f'  "image": {inline(encoded(image))},', '  "cases": [']
    for operation, *arguments in STORED:
        result = encoded(apply(image, {"operation": operation, "arguments": arguments}))
        lines += ["    {", f'      "operation": "{operation}",', f'      "arguments": {json.dumps(arguments)},']
        lines += [f'      "result": {inline(result, 6)}', "    },"]
    lines[-1] = "    }"
    return "\n".join([*lines, "  ]", "}", ""])


def inline(value, indent=2):
    return json.dumps(value, indent=2).replace("\n", "\n" + " " * indent)


def decoded(image):
    mode = {1: "L", 3: "RGB"}[image["channels"]]
    return Image.frombytes(mode, (image["width"], image["height"]), base64.b64decode(image["values"]))


def encoded(image):
    values = base64.b64encode(image.tobytes()).decode()
    return {"height": image.height, "width": image.width, "channels": len(image.getbands()), "values": values}


if __name__ == "__main__":
    main()
