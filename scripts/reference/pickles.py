"""Writes checkpoints of torch.save, CIFAR batches and attacks, all of them small, and says what they hold.

    python scripts/reference/pickles.py FOLDER PART...

Prints one JSON object with a key for each PART:
`checkpoints` (needs torch and numpy): by file, the tensors that reading must find, each with PyTorch's type, shape and the
SHA-256 of its values as contiguous little-endian 32-bit floats;
`batches` (needs numpy): by folder, the labels of both sets and the SHA-256 of their pixels, channels last;
`values`: what protocol-0.pkl to protocol-5.pkl hold;
`attacks`: the file that each of attack-*.pkl and attack-*.pt would make, if it were executed.
"""

import argparse
import collections
import hashlib
import io
import json
import os
import pathlib
import pickle
import struct
import sys
import zipfile


def main() -> None:
    writers = {"checkpoints": checkpoints, "batches": batches, "values": values, "attacks": attacks}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", type=pathlib.Path)
    parser.add_argument("parts", metavar="PART", nargs="+", choices=list(writers))
    args = parser.parse_args()
    print(json.dumps({part: writers[part](args.folder) for part in args.parts}))


def checkpoints(folder: pathlib.Path) -> dict:
    import numpy as np
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), nn.Linear(4, 5))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(2, 3, 2, 5)).sum().backward()
    optimizer.step()
    state = model.state_dict()
    args = argparse.Namespace(lr=1e-3, output_dir=pathlib.PosixPath("/out"), betas=(0.9, 0.95), device="cuda", seeds={1, 2})
    training = {
        "model": state,
        "optimizer": optimizer.state_dict(),
        "epoch": 7,
        "scaler": {"scale": 65536.0},
        "args": args,
        "best": np.float64(81.5),
        "history": np.arange(6, dtype=np.int64).reshape(2, 3),
        "steps": collections.Counter([3, 3, 5]),
        "device": torch.device("cuda", 0),
        "dtype": torch.float16,
        "size": torch.Size([2, 3]),
        "rng": torch.get_rng_state(),
        "by_name": collections.defaultdict(list, a=[1]),
    }
    base = torch.randn(6, 8)
    views = {
        "whole": base,
        "transposed": base.t(),
        "row": base[2],
        "column": base[:, 3],
        "block": base[1:5:2, 2:7],
        "permuted": torch.randn(2, 3, 4).permute(2, 0, 1),
        "expanded": torch.randn(3, 1).expand(3, 4),
        "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "one": base[3:4, 5:6],
    }
    attributed = torch.randn(3)
    attributed.note = "a tensor with an attribute"
    saved = {
        "state.pt": (state, state),
        "types.pt": (types := every_type(), types),
        "views.pt": (views, views),
        "training.pth": (training, state),
        "parallel.pth": ({"state_dict": {f"module.{name}": value for name, value in state.items()}, "epoch": 1}, state),
        "parameters.pt": (named := dict(model.named_parameters()), named),
        "attributed.pt": ({"x": attributed}, {"x": attributed}),
    }
    files = {}
    for name, (value, tensors) in saved.items():
        torch.save(value, folder / name)
        files[name] = described(tensors)
    for name, value, tensors in [
        ("legacy.pt", views, views),
        ("legacy-training.pth", training, state),
        ("legacy-types.pt", every_type(newest=False), every_type(newest=False)),
    ]:
        torch.save(value, folder / name, _use_new_zipfile_serialization=False)
        files[name] = described(tensors)
    for protocol in (3, 4, 5):
        torch.save(training, folder / f"protocol-{protocol}.pt", pickle_protocol=protocol)
        files[f"protocol-{protocol}.pt"] = described(state)
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), folder / "script.pt")
    torch.save(nn.Linear(2, 2), folder / "module.pt")
    torch.save({"c": torch.zeros(2, dtype=torch.complex64), "x": torch.ones(2)}, folder / "complex.pt")
    torch.save({"epoch": 3, "args": args}, folder / "nothing.pt")
    return files


def every_type(newest: bool = True) -> dict:
    import torch

    generator = torch.Generator().manual_seed(1)
    values = torch.randn(3, 5, generator=generator) * 20
    halves = torch.tensor([0.0, -0.0, 1.0, 65504.0, 6e-8, 6.1e-5, 5.9e-5, float("inf"), -float("inf")])
    types = {
        **{str(t): values.to(t) for t in (torch.float32, torch.float64, torch.float16, torch.bfloat16)},
        **{str(t): values.to(t) for t in (torch.int64, torch.int32, torch.int16, torch.int8)},
        "torch.uint8": values.abs().to(torch.uint8),
        "torch.bool": values > 0,
        "halves": halves.half(),
        "bhalves": halves.bfloat16(),
        "big": torch.tensor([2**40, -(2**40), 2**62 + 1]),
    }
    if newest:
        types |= {str(t): values.abs().to(t) for t in (torch.uint16, torch.uint32, torch.uint64)}
    return types


def described(tensors: dict) -> dict:
    import torch

    return {
        name: {
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "sha256": sha256(tensor.detach().to(torch.float32).contiguous().numpy().astype("<f4").tobytes()),
        }
        for name, tensor in tensors.items()
    }


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its strings, and NumPy's names as NumPy 1 did: as the published batches are."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value: bytes) -> None:
        short = len(value) < 256
        self.write((b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<i", len(value))) + value)
        self.memoize(value)

    dispatch[bytes] = save_bytes

    def save_str(self, value: str) -> None:
        self.save_bytes(value.encode("latin1"))

    dispatch[str] = save_str


def batches(folder: pathlib.Path) -> dict:
    import numpy as np

    random = np.random.default_rng(0)
    found = {}
    for name, write in [("python2", python2), ("protocol2", protocol(2)), ("protocol5", protocol(5))]:
        for order in ("C", "F"):
            for dataset, parts in [("cifar10", [f"data_batch_{i}" for i in range(1, 6)]), ("cifar100", ["train"])]:
                into = folder / f"{dataset}-{name}-{order}"
                into.mkdir(exist_ok=True)
                sets = []
                for part in [*parts, "test_batch" if dataset == "cifar10" else "test"]:
                    sets.append(batch(random, write, into / part, dataset, order))
                meta = {b"label_names": [b"plane", *[b"class %d" % i for i in range(9)]], b"num_vis": 3072}
                if dataset == "cifar100":
                    meta = {
                        b"fine_label_names": [b"fine %d" % i for i in range(100)],
                        b"coarse_label_names": [b"coarse %d" % i for i in range(20)],
                    }
                (into / ("batches.meta" if dataset == "cifar10" else "meta")).write_bytes(write(meta))
                found[into.name] = {
                    "train": {
                        "labels": sum((labels for labels, _ in sets[:-1]), []),
                        "sha256": sha256(b"".join(pixels for _, pixels in sets[:-1])),
                    },
                    "validation": {"labels": sets[-1][0], "sha256": sha256(sets[-1][1])},
                }
    return found


def batch(random, write, file: pathlib.Path, dataset: str, order: str) -> tuple:
    import numpy as np

    count = int(random.integers(2, 5))
    data = random.integers(0, 256, (count, 3072), dtype=np.uint8)
    labels = random.integers(0, 10 if dataset == "cifar10" else 100, count).tolist()
    content = {
        b"batch_label": b"training batch",
        b"data": np.asarray(data, order=order),
        b"filenames": [b"a_%d.png" % i for i in range(count)],
    }
    if dataset == "cifar10":
        content[b"labels"] = labels
    else:
        content |= {b"fine_labels": labels, b"coarse_labels": [label // 5 for label in labels]}
    file.write_bytes(write(content))
    return labels, data.reshape(count, 3, 32, 32).transpose(0, 2, 3, 1).tobytes()


def python2(value) -> bytes:
    file = io.BytesIO()
    Python2Pickler(file, 2).dump(value)
    return file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def protocol(number: int):
    return lambda value: pickle.dumps(value, number)


def values(folder: pathlib.Path) -> dict:
    """Values that JSON knows, too, at every protocol."""
    shared = ["é€😀\n\\u0041", "", "it's \"quoted\"\x00"]
    value = {
        "numbers": [0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**53 - 1, -(2**53) + 1],
        "floats": [0.5, -1e300, 1e-300, 3.0],
        "truth": [True, False, None],
        "nested": [[[], {}], {"a": {"b": [shared, shared]}}],
        "text": shared,
        "long": list(range(3000)),
    }
    for number in range(6):
        (folder / f"protocol-{number}.pkl").write_bytes(pickle.dumps(value, number))
    return value


class Call:
    """Is pickled as a call."""

    def __init__(self, function, *args) -> None:
        self.call = function, args

    def __reduce__(self):
        return self.call


def attacks(folder: pathlib.Path) -> str:
    marker = folder / "executed"
    command = f"touch {marker}"
    for name, call in [
        ("system", Call(os.system, command)),
        ("eval", Call(eval, f"open({str(marker)!r}, 'w')")),
        ("exec", Call(exec, f"open({str(marker)!r}, 'w')")),
        ("import", Call(__import__, "os")),
    ]:
        for number in (0, 2, 4):
            content = pickle.dumps({"weight": call}, number)
            (folder / f"attack-{name}-{number}.pkl").write_bytes(content)
            with zipfile.ZipFile(folder / f"attack-{name}-{number}.pt", "w") as file:
                file.writestr("archive/data.pkl", content)
                file.writestr("archive/version", "3\n")
    # The attacks are true ones: Python would run this.
    pickle.loads((folder / "attack-system-4.pkl").read_bytes())
    if not marker.exists():
        sys.exit("The attack does not work in Python itself.")
    marker.unlink()
    return str(marker)


if __name__ == "__main__":
    main()
