"""Tokens of transformers' BertTokenizer for given texts.

    python scripts/reference/tokens.py < REQUEST > TOKENS

REQUEST: {"vocabulary": path of a vocab.txt, "cases": [{"lowercase": bool, "length": int, "texts": [str, ...],
"pairs": [str, ...] or null}, ...], "save": folder for the tokenizer.json of the first case, or absent}. Prints for each
case {"ids": [[int, ...], ...], "types": [[int, ...], ...]}, cut to the length, without padding. Needs transformers 5 and
tokenizers.
"""

import json
import sys

from transformers import BertTokenizer


def main() -> None:
    request = json.load(sys.stdin)
    results = []
    for case in request["cases"]:
        tokenizer = BertTokenizer(vocab=request["vocabulary"], do_lower_case=case["lowercase"])
        if "save" in request and not results:
            tokenizer.save_pretrained(request["save"])
        encoded = tokenizer(case["texts"], case["pairs"], truncation=True, max_length=case["length"])
        results.append({"ids": encoded["input_ids"], "types": encoded["token_type_ids"]})
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
