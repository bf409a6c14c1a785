"""E-mails of the SpamAssassin corpus as text with a label: subject and body of 2,000 of them, in two tables.

    python3 scripts/data/emails.py FOLDER_OF_THE_PACKAGE OUTPUT_FOLDER

Writes train.csv and validation.csv with the columns text and label (ham, spam). Headers are not kept but for the subject, without the
tags of mailing lists and of filters; of e-mails that begin nearly alike, as bulk mail does, only one is kept. Which ones are taken and in
which order says the sha256 of a seed and the text, so that every run writes the same bytes.
"""
import collections
import csv
import email
import email.errors
import email.header
import email.policy
import hashlib
import html.parser
import json
import pathlib
import re
import sys

SEED = "masksub-emails-0"
# In this order until a class is full: all of the hard ham, which looks like spam, and no more of the easy than is wanted.
CLASSES = {"ham": [["hard-ham-1"], ["easy-ham-1", "easy-ham-2"]], "spam": [["spam-1", "spam-2"]]}
TOGETHER, TRAIN = 2000, 200
CHARACTERS = 2000  # far more than 64 tokens
# Two texts are nearly alike where they share more of the runs of so many words among their first words.
RUN, WORDS, ALIKE = 4, 80, 0.3


class Words(html.parser.HTMLParser):
    """What a reader sees of HTML."""

    def __init__(self):
        super().__init__()
        self.words, self.hidden = [], 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("script", "style", "title")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style", "title") and self.hidden > 0

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)


def main(package, output):
    kept, is_new = {}, novelty()
    for label, groups in CLASSES.items():
        kept[label] = []
        for group in groups:
            files = [file for name in group for file in (package / "data" / name).glob("*.json")]
            texts = {text for text in map(text_of, files) if len(letters(text)) >= 40}
            before = len(kept[label])
            for text in sorted(texts, key=order):
                if is_new(text):
                    kept[label].append(text)
            print(f"{', '.join(group)}: {len(files)} e-mails; {len(kept[label]) - before} without duplicates")
    output.mkdir(parents=True, exist_ok=True)
    rows = {label: sorted(texts[: TOGETHER // 2], key=order) for label, texts in kept.items()}
    cut = TRAIN // 2
    write(output / "train.csv", {label: texts[:cut] for label, texts in rows.items()})
    write(output / "validation.csv", {label: texts[cut:] for label, texts in rows.items()})


def text_of(file):
    message = email.message_from_string(json.loads(file.read_text("utf-8"))["text"], policy=email.policy.compat32)
    subject = str(email.header.make_header(decoded(message["Subject"])))
    subject = re.sub(r"\[[^\]]*\]|\*+\w+\*+|\b(re|fwd?|aw|adv)\s*:", " ", subject, flags=re.IGNORECASE)
    text = f"{subject}. {body_of(message)}"
    return " ".join(text.encode("utf-8", "ignore").decode().replace("\0", " ").split())[:CHARACTERS]


def decoded(value):
    try:
        parts = email.header.decode_header(value or "")
        str(email.header.make_header(parts))
        return parts
    except (LookupError, UnicodeError, email.errors.HeaderParseError):
        return [(str(value), None)]


def body_of(message):
    """The plain text, else the words of the HTML."""
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    for kind in ("plain", "html", None):
        for part in parts:
            if kind not in (None, part.get_content_subtype()):
                continue
            text = content_of(part)
            if kind != "plain" or re.search(r"<(html|body|table|font|br|p)\b", text, re.IGNORECASE):
                text = seen_of(text)
            if letters(text):
                return text
    return ""


def content_of(part):
    payload = part.get_payload(decode=True) or b""
    try:
        return payload.decode(part.get_content_charset() or "latin-1", "replace")
    except LookupError:
        return payload.decode("latin-1")


def seen_of(text):
    words = Words()
    words.feed(text)
    return " ".join(words.words)


def novelty():
    """A function that tells whether no text before was nearly like this one."""
    runs_of_kept, kept_with = [], collections.defaultdict(list)

    def is_new(text):
        words = re.findall(r"[a-z]+", text.lower())[:WORDS]
        runs = {" ".join(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}
        shared = collections.Counter(other for run in runs for other in kept_with[run])
        if not runs or any(count > ALIKE * len(runs | runs_of_kept[other]) for other, count in shared.items()):
            return False
        for run in runs:
            kept_with[run].append(len(runs_of_kept))
        runs_of_kept.append(runs)
        return True

    return is_new


def letters(text):
    return re.sub(r"[^a-z]", "", text.lower())


def order(text):
    return hashlib.sha256(f"{SEED}\n{text}".encode()).hexdigest()


def write(file, rows):
    lines = sorted(((text, label) for label, texts in rows.items() for text in texts), key=lambda row: order(row[0]))
    with open(file, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["text", "label"])
        writer.writerows(lines)
    counts = {label: len(texts) for label, texts in rows.items()}
    print(f"{file.name}: {counts}, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}")


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
