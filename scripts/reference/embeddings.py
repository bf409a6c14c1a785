"""What transformers' BertModel makes of the first texts of a table.

    python scripts/reference/embeddings.py MODEL TABLE COUNT LENGTH > EMBEDDINGS

MODEL: a folder with config.json, model.safetensors and vocab.txt. TABLE: a CSV file with a column `text`. Prints
{"ids": [[int, ...], ...], "pooled": [[float, ...], ...]}: the ids of each text, cut to LENGTH and padded, and what the
pooler makes of [CLS], in float32. Needs torch and transformers 5.
"""

import csv
import itertools
import json
import sys

import torch
from mend_torchvision import mend_torchvision

mend_torchvision()
from transformers import BertModel, BertTokenizer  # noqa: E402


def main(folder: str, table: str, count: str, length: str) -> None:
    with open(table, encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in itertools.islice(csv.DictReader(file), int(count))]
    tokenizer = BertTokenizer(vocab=f"{folder}/vocab.txt", do_lower_case=True)
    size = int(length)
    tokens = tokenizer(texts, truncation=True, padding="max_length", max_length=size, return_tensors="pt")
    model = BertModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    with torch.no_grad():
        pooled = model(**tokens).pooler_output
    json.dump({"ids": tokens["input_ids"].tolist(), "pooled": pooled.tolist()}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
