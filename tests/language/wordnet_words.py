"""The list of common English words, from WordNet 3.0 as Debian's wordnet-base ships it.

    python -m tests.language.wordnet_words /usr/share/wordnet data/words/english.tsv
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

from core.encoding.nouns import nouns

FOLDER = Path("/usr/share/wordnet")
HEADER = "word\tkind\tuses\n"
KINDS = {"1": "noun", "2": "verb", "3": "adjective", "5": "adjective"}
# WordNet's files of senses (lexnames(5WN)) that name what a picture can show, and how often a sense of them was met.
NOUNS = {4: 6, 5: 1, 6: 1, 8: 1, 11: 4, 12: 3, 13: 1, 14: 6, 15: 6, 17: 1, 18: 4, 19: 3, 20: 1, 25: 1, 27: 2, 28: 6}
ADJECTIVES = {0: 6, 44: 3}
VERBS = {29: 5, 33: 3, 34: 2, 35: 6, 36: 6, 38: 4, 39: 12, 43: 1}
# Words of counting, comparing and pointing, which WordNet has among the adjectives.
_UNSEEN_WORDS = """
all another any both certain different each early enough entire every few fewer fewest first following former
further general great last late latter least less little main major many more most much next one only other
own particular possible present real recent same several single some specific such true various very whole"""
UNSEEN = frozenset(_UNSEEN_WORDS.split())
COUNTING = ("cardinal", "ordinal")
LEAST = {"noun": NOUNS, "adjective": ADJECTIVES, "verb": VERBS}
_DOUBLED = re.compile(r"[^aeiou][aeiou][bdgmnprt]$")


def uses(folder: Path = FOLDER) -> Counter[tuple[str, str]]:
    """How often each word of a kind was met in the texts that WordNet's makers tagged, in senses that can be seen."""
    found: Counter[tuple[str, str]] = Counter()
    for line in (folder / "cntlist.rev").read_text("utf-8").splitlines():
        key, _, count = line.split()
        lemma, _, sense = key.partition("%")
        kind, file = KINDS.get(sense[0], ""), int(sense.split(":")[1])
        word = lemma.replace("_", " ")
        if kind == "adjective" and (word in UNSEEN or sense.split(":")[3] in COUNTING):
            continue
        if kind and int(count) >= LEAST[kind].get(file, 10**9) and re.fullmatch(r"[a-z]{3,}(?: [a-z]{3,})?", word):
            found[word, kind] += int(count)
    return found


def gerund(verb: str, irregular: dict[str, str]) -> str:
    """The form in -ing: WordNet's list of exceptions first, else the rule."""
    if verb in irregular:
        return irregular[verb]
    first, _, rest = verb.partition(" ")
    if first.endswith("ie"):
        first = first[:-2] + "y"
    elif first.endswith("e") and not first.endswith(("ee", "oe", "ye")):
        first = first[:-1]
    elif _DOUBLED.search(first) and len(first) <= 3:
        first += first[-1]
    return f"{first}ing" + (f" {rest}" if rest else "")


def words(folder: Path = FOLDER) -> list[tuple[str, str, int]]:
    """Rows (word, kind, uses), the most used first; each word once, as the kind it is used as most.

    What the photo model has a name for, in one word, is there too: the tagged texts are of 1961 and know no zebra.
    """
    irregular: dict[str, str] = {}
    for line in (folder / "verb.exc").read_text("utf-8").splitlines():
        form, *bases = line.replace("_", " ").split() if "_" not in line else line.split()
        if form.endswith("ing") and bases:
            irregular.setdefault(bases[0].replace("_", " "), form.replace("_", " "))
    best: dict[str, tuple[int, str]] = {}
    for (word, kind), count in uses(folder).items():
        said, called = (gerund(word, irregular), "gerund") if kind == "verb" else (word, kind)
        best[said] = max(best.get(said, (0, "")), (count, called))
    for noun in nouns().values():
        if re.fullmatch(r"[a-z]{3,}", noun.names[0]):
            best.setdefault(noun.names[0], (0, "noun"))
    return sorted(((word, kind, count) for word, (count, kind) in best.items()), key=lambda row: (-row[2], row[0]))


def main(folder: str, out: str) -> None:
    """Write the table."""
    Path(out).write_text(HEADER + "".join(f"{word}\t{kind}\t{count}\n" for word, kind, count in words(Path(folder))),
                         "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
