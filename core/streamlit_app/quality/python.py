"""What a section shows, as the few lines of core calls that make it."""

from __future__ import annotations

from collections.abc import Sequence

from core.language.quality.actions import Action
from core.language.quality.evidence import KINDS
from core.language.quality.recipe import actions_as_text
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.quality.data import QualityData
from core.streamlit_app.state import Settings

Lines = tuple[list[str], list[str]]


def _looked(settings: Settings, data: QualityData) -> Lines:
    """Imports and lines that make ``looked``; a visitor's own files have made-up names in them."""
    imports, lines = points_lines(settings, data.ready)
    opened = "dataset" if data.ready.opened.vectors is None else "found"
    return ([*imports, "from core.language.quality.looked import look"],
            [*lines, f"looked = look(points, {opened}, prompts_by={data.looked.prompts_by!r}, labels={data.label!r})"])


def _code(settings: Settings, data: QualityData, imports: Sequence[str], lines: Sequence[str]) -> str:
    before, made = _looked(settings, data)
    return as_code([*before, *imports], [*made, *lines])


def finding(settings: Settings, data: QualityData, key: str, threshold: float) -> str:
    """One finding and what it flags."""
    return _code(settings, data, [
        "from core.figures.quality.findings import histogram", "from core.language.quality.evidence import find"], [
        f"found = find(looked, {key!r}, seed={settings.seed})",
        f"ids = looked.{KINDS[key].of}_ids",
        f"print([ids[row] for row in found.flagged({threshold:.6g})])", f"histogram(found, {threshold:.6g}).show()"])


def what_if(settings: Settings, data: QualityData, actions: Sequence[Action]) -> str:
    """The kept list after the actions."""
    return _code(settings, data, [
        "from core.language.quality.actions import replay", "from core.language.quality.kept import kept_table",
        "from core.language.quality.recipe import actions_of_text"], [
        f"actions = actions_of_text({actions_as_text(actions)!r})",
        f"print(kept_table(looked, replay(actions, looked, seed={settings.seed})))"])


def against(settings: Settings, data: QualityData, of: str) -> str:
    """The statistics of A against B, a file of vectors beside what is open."""
    return _code(settings, data, ["from core.geometry.quality.against import compare",
                                  "from core.sources.vectors.opening import open_vectors"], [
        f'b = open_vectors("b.npz").{of}s.vectors',
        f"found = compare(looked.items.{of}s, b, seed={settings.seed})",
        "print({key: (one.number.value, one.p) for key, one in found.statistics.items()})"])


def learning(settings: Settings, data: QualityData, how: str, seeds: int, steps: int,
             actions: Sequence[Action]) -> str:
    """What is kept after the actions beside all, by one learner; asked is a part of what is open."""
    imports = ["import numpy as np", "from core.figures.quality.learning import learning_table",
               "from core.language.quality.actions import replay, what_is_left",
               "from core.language.quality.recipe import actions_of_text",
               "from core.learning.holding_out import hold_out"]
    lines = [f"actions = actions_of_text({actions_as_text(actions)!r})",
             f"kept = what_is_left(replay(actions, looked, seed={settings.seed}), looked)"]
    ground = [f"ground = hold_out([names], [may], [looked.items.splits], seed={settings.seed})",
              "asked, free = ground.asked[0], ground.free[0]"]
    names = "names = looked.hashes or looked.image_ids"
    if how == "towers":
        imports += ["from core.learning.comparing import Taught, learn_on",
                    "from core.learning.towers.brought import bring, lesson_of, asked_pairs",
                    "from core.learning.towers.setup import Setup"]
        lines += ["items = looked.items",
                  "brought = bring(looked.name, looked.pictures, looked.places, looked.image_ids, looked.captions, "
                  "items.links,", "                items.labels)", names, "may = brought.whole", *ground,
                  "probe = asked_pairs([brought], ground)", "all_of_it = lesson_of(brought, free, probe)",
                  "part = lesson_of(brought, free, probe, images=kept.images, texts=kept.texts)",
                  'sets = [Taught("all", (all_of_it,)), Taught("kept", (part,), "all")]',
                  f"found = learn_on(sets, Setup(seed={settings.seed}, steps={steps}, dim=16), seeds={seeds})"]
    elif how == "probes":
        imports.append("from core.learning.probes import Fitted, compare_probes")
        lines += ["x, labels = looked.items.images, np.array(looked.items.labels)", names, 'may = labels != ""',
                  *ground, "left, now = free & kept.images, np.array(kept.labels)",
                  'sets = [Fitted("all", ((x[free], tuple(labels[free])),)),',
                  '        Fitted("kept", ((x[left], tuple(now[left])),), "all")]',
                  f"found = compare_probes(sets, x[asked], labels[asked].tolist(), seed={settings.seed})"]
    else:
        imports += ["from core.learning.adapters import Adapted, compare_adapters",
                    "from core.learning.records.record import Probe"]
        lines += ["items, (of, to) = looked.items, looked.items.links.T", names,
                  "may = np.isin(np.arange(items.n_images), of)", *ground, "", "def pairs(rows):",
                  "    own = items.links[rows]",
                  "    return (items.images[own[:, 0]], items.texts[own[:, 1]], tuple(looked.captions[t] for t in "
                  "own[:, 1])),", "", 'sets = [Adapted("all", pairs(free[of])),',
                  '        Adapted("kept", pairs(free[of] & kept.images[of] & kept.texts[to]), "all")]',
                  "rows = items.links[np.isin(of, asked)]", "images, at = np.unique(rows[:, 0], return_inverse=True)",
                  "texts, to_text = np.unique(rows[:, 1], return_inverse=True)",
                  "probe = Probe(tuple(map(str, images)), tuple(map(str, texts)), np.stack([at, to_text], axis=1))",
                  "found = compare_adapters(sets, items.images[images], items.texts[texts], probe, "
                  f"seed={settings.seed})"]
    return _code(settings, data, imports, [*lines, "print(learning_table(found).to_string())"])
