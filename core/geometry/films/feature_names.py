"""The numbers that are told of a path: their names, units and what each says."""

from __future__ import annotations

from dataclasses import dataclass

LAGS = (1, 2, 3, 4, 5, 6, 7)
PARTS = (0.125, 0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Feature:
    """What a number of a path is.

    Attributes
    ----------
    title : for tables and axes.
    unit : of the number; "" for a ratio or a count.
    says : what it means, a sentence for users.
    family : features that say much the same: a key of FAMILIES.
    """

    title: str
    unit: str
    says: str
    family: str


FAMILIES: dict[str, str] = {
    "angles": "angles between shots some apart",
    "returns": "returns to islands",
    "parts": "frames a part of the film apart",
    "motion": "steps and turning",
    "set": "frames in any order",
    "shots": "shots in any order",
}

_BY_LAG = {f"angle_{k}": Feature(
    f"shots {k} apart", "", f"Mean angle of shots {k} apart, over that of all pairs of shots; below 1: alike.",
    "angles")
    for k in LAGS} | {f"seen_{k}": Feature(
        f"seen {k} shots before", "share",
        f"Share of the shots whose island is that of the shot {k} before.", "returns") for k in LAGS}
_BY_PART = {f"part_{round(1000 * part)}": Feature(
    f"frames {part:g} of the film apart", "",
    f"Mean angle of frames {part:g} of the film apart, over that of all pairs of frames; below 1: alike.", "parts")
    for part in PARTS}

PATH_FEATURES: dict[str, Feature] = _BY_LAG | {
    "novelty": Feature("islands seen by then", "share",
                       "Share of its islands that the film has shown so far, mean over shots; high: all come early.",
                       "returns"),
    "return_lag": Feature("shots until a return", "share",
                          "Shots until an island comes back, over all shots of the film, mean over returns.",
                          "returns"),
    "reciprocity": Feature("transitions that also go back", "share",
                           "Share of the changes from one island to another whose reverse occurs too.", "returns"),
    "entropy_rate": Feature("entropy of the next island", "",
                            "Entropy of the next island where this one is known, over the most there can be.",
                            "returns"),
    "determinism": Feature("returns in the same order", "share",
                           "Share of the pairs of shots on one island whose next or last shots are on one island too.",
                           "returns"),
} | _BY_PART | {
    "drift": Feature("from half to half", "", "Angle between the mean frames of both halves, over the spread.",
                     "parts"),
    "straightness": Feature("net angle over length", "", "Angle from the first to the last frame over the length of "
                            "the path; 1: straight.", "parts"),
    "turning": Feature("turning", "radians", "Mean angle between a step and the next; 0: straight on.", "motion"),
    "step_variation": Feature("variation of steps", "", "Standard deviation of the steps over their mean.", "motion"),
    "step_memory": Feature("memory of steps", "", "Rank correlation of a step with the next.", "motion"),
}
ORDER_FREE_FEATURES: dict[str, Feature] = {
    "spread": Feature("spread", "radians", "Mean angle of the frames to their mean direction.", "set"),
    "angle_low": Feature("angle of pairs, 10 %", "radians", "A tenth of the pairs of frames are nearer.", "set"),
    "angle_middle": Feature("angle of pairs, median", "radians", "Half of the pairs of frames are nearer.", "set"),
    "angle_high": Feature("angle of pairs, 90 %", "radians", "A tenth of the pairs of frames are farther.", "set"),
    "effective_rank": Feature("effective rank", "", "Directions in which the frames vary about their mean.", "set"),
    "islands": Feature("islands", "", "How many islands the film has.", "set"),
    "evenness": Feature("evenness of islands", "", "Entropy of the time on islands, over the most there can be.",
                        "set"),
    "duration": Feature("duration", "seconds", "From the first to the last frame.", "shots"),
    "shots": Feature("shots", "", "How many shots the film has.", "shots"),
    "shot_low": Feature("shot length, 25 %", "seconds", "A quarter of the shots are shorter.", "shots"),
    "shot_middle": Feature("shot length, median", "seconds", "Half of the shots are shorter.", "shots"),
    "shot_high": Feature("shot length, 75 %", "seconds", "A quarter of the shots are longer.", "shots"),
    "step_inside": Feature("step inside shots", "radians", "Mean angle from a frame to the next inside shots.",
                           "shots"),
}
FEATURES: dict[str, Feature] = PATH_FEATURES | ORDER_FREE_FEATURES
