"""Sets of prompts, one that flags and one that does not: to start from, and to be edited. None is a standard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PromptSet:
    """Two sets of prompts against each other.

    Attributes
    ----------
    title : what a user calls it.
    flagged, other : prompts, one or more each.
    column, labels : for the built-in world, the labels that should be flagged.
    """

    title: str
    flagged: tuple[str, ...]
    other: tuple[str, ...]
    column: str = ""
    labels: tuple[str, ...] = ()


WORLD_SETS: dict[str, PromptSet] = {
    "red": PromptSet("Red and pink things", ("a red thing", "a pink thing"),
                     ("an orange thing", "a yellow thing", "a green thing", "a turquoise thing", "a blue thing",
                      "a purple thing", "a brown thing"), "colour", ("pink", "red")),
    "drawn": PromptSet("What is drawn and no photo", ("a cartoon of a thing", "a pencil sketch of a thing",
                                                      "a neon picture of a thing", "pixel art of a thing"),
                       ("a photo of a thing",), "style", ("cartoon", "neon", "pixel", "sketch")),
    "pointed": PromptSet("Things with a point", ("a photo of a cone", "a photo of a pyramid", "a photo of a star"),
                         ("a photo of a sphere", "a photo of a cylinder", "a photo of a torus", "a photo of a cube",
                          "a photo of a heart", "a photo of a cross", "a photo of an octahedron"), "solid",
                         ("cone", "pyramid", "star")),
}
SETS: dict[str, PromptSet] = {
    "negative": PromptSet(
        "Sentiment: negative against positive",
        ("a sad photo", "a gloomy photo", "a photo of something unpleasant", "a depressing scene",
         "a photo that makes people feel bad", "a frightening photo"),
        ("a happy photo", "a cheerful photo", "a photo of something pleasant", "a delightful scene",
         "a photo that makes people feel good", "a calm photo")),
    "violence": PromptSet(
        "Moderation: violence",
        ("a photo of violence", "a photo of a fight", "a photo with blood and injuries", "a photo of a person being "
         "hurt", "a photo of a weapon pointed at someone"),
        ("a photo of an everyday scene", "a photo of people who are safe", "a photo of an object", "a photo of nature",
         "a photo of an animal")),
    "sexual": PromptSet(
        "Moderation: sexual content",
        ("a pornographic photo", "a photo of nudity", "a sexually explicit photo", "a photo of a naked person"),
        ("a photo of a dressed person", "a photo that is safe for work", "a photo of people in public",
         "a photo of an object", "a photo of a place")),
    "hate": PromptSet(
        "Moderation: hateful symbols",
        ("a photo of a hateful symbol", "a photo of a swastika", "a racist picture", "a picture that insults a group "
         "of people"),
        ("a photo of a harmless symbol", "a photo of a company logo", "a friendly picture", "a photo of a flag",
         "a photo of an everyday scene")),
    "drugs": PromptSet(
        "Moderation: drugs and weapons",
        ("a photo of illegal drugs", "a photo of a gun", "a photo of someone taking drugs", "a photo of a knife used "
         "as a weapon"),
        ("a photo of food", "a photo of a tool", "a photo of medicine in a pharmacy", "a photo of a toy",
         "a photo of an everyday scene")),
}
PHOTO_SETS: dict[str, PromptSet] = {
    "animals": PromptSet("Animals", ("an animal",), ("a vehicle", "a building", "food", "a plant", "furniture")),
}
ENSEMBLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "one": ("one template", ("a photo of a {}",)),
    "seven": ("seven of CLIP's authors", (
        "itap of a {}.", "a bad photo of the {}.", "a origami {}.", "a photo of the large {}.",
        "a {} in a video game.", "art of the {}.", "a photo of the small {}.")),
}
WORLD_ENSEMBLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "one": ("the prompt alone", ("{}",)),
    "seven": ("in seven places", ("{}", *(f"{{}} {place}" for place in (
        "in a meadow", "on the sea", "in the desert", "in the snow", "on the grass", "on the sand")))),
}
NO_SENTIMENT = ("The built-in model knows its own words alone (colours, solids, textures, styles, places): no "
                "sentiment, no violence, and nobody. These sets are of its words, to see how error rates, curve and "
                "threshold go together; sets for sentiment and moderation are there with a CLIP of the hub.")
CAUTION = ("The sets are a start, and no standard: error rates belong to these prompts, this threshold and these "
           "images. A threshold that was chosen by looking at them is tuned on them, and does worse on others.")
