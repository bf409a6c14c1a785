"""PyTorch's DataLoader on a folder of images, to compare with: random resized crop (bicubic), flip, batches of 64, as
bytes or normalized as a model sees them.

Usage: data.py FOLDER WORKERS bytes|normalized; prints {"images", "seconds", "cpuSeconds", "torch", "torchvision", "pillow"} as JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "reference"))
from mend_torchvision import mend_torchvision  # noqa: E402

mend_torchvision()
import PIL  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from torchvision import transforms  # noqa: E402


def main() -> None:
    folder, workers, as_what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(1)
    steps = [
        transforms.RandomResizedCrop(224, interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.RandomHorizontalFlip(),
    ]
    if as_what == "bytes":
        steps += [transforms.PILToTensor()]
    else:
        mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        steps += [transforms.ToTensor(), transforms.Normalize(mean, std)]
    dataset = torchvision.datasets.ImageFolder(folder, transforms.Compose(steps))
    loader = torch.utils.data.DataLoader(dataset, batch_size=64, shuffle=True, num_workers=workers, persistent_workers=True)
    pids = []
    for epoch in range(2):
        begun, cpu, images = time.perf_counter(), cpu_seconds(pids), 0
        for batch, _ in loader:
            images += batch.shape[0]
        if epoch == 0:
            # The first epoch starts the workers and reads the files into memory.
            pids = [process.pid for process in loader._iterator._workers]
    found = {"images": images, "seconds": time.perf_counter() - begun, "cpuSeconds": cpu_seconds(pids) - cpu}
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__, "pillow": PIL.__version__}
    print(json.dumps({**found, **versions}))


def cpu_seconds(pids) -> float:
    """Of this process and its workers, which have not ended."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    total = own.ru_utime + own.ru_stime
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / 100
    return total


if __name__ == "__main__":
    main()
