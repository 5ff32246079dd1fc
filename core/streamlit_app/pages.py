"""The pages of the app: the one list that Home, the sidebar and the README go by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PICTURES = Path(__file__).parents[2] / "data" / "pictures"


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes
    ----------
    word : its subject, the name of the subject's folder on every floor.
    path : of its file, from the project's folder.
    title, icon : in the sidebar and on Home.
    subtitle : under the title of the page itself.
    sentence : what one does there, on Home.
    """

    word: str
    path: str
    title: str
    icon: str
    subtitle: str = ""
    sentence: str = ""

    def picture(self, *, dark: bool) -> Path:
        """The picture of it on Home."""
        return _PICTURES / f"{Path(self.path).stem}_{'dark' if dark else 'light'}.webp"


HOME = Page("home", "app.py", "Home", ":material/home:")
SUBJECTS: tuple[Page, ...] = (
    Page("sphere", "pages/1_Embedding_Sphere.py", "Embedding Sphere", ":material/public:",
         "Images and texts of one model are unit vectors: points on one sphere.",
         "Images and texts of one model as points on one sphere. Turn it, click a point, type a prompt, drop a zip of "
         "your own photos."),
    Page("gap", "pages/2_Modality_Gap.py", "Modality Gap", ":material/join_inner:",
         "Images and texts of one model lie in two clouds. How far apart, why, and what does closing the gap do?",
         "Why do right pairs have a cosine of 0.25? See the two clouds of images and texts, measure what lies between "
         "them, close it, and read what that does to retrieval."),
    Page("objects", "pages/3_Object_Subspaces.py", "Object Subspaces", ":material/view_in_ar:",
         "Many views of one object are points on the sphere. What do they span, and does it carry a style?",
         "Draw a 3-D object from all round and see what its views span: where the model finds them alike, how objects "
         "are told apart, and how a style is carried from one to another."),
    Page("films", "pages/4_Video_Trajectories.py", "Video Trajectories", ":material/movie:",
         "A film is a path on the sphere. Where does it dwell, when does it jump, and what does its order add?",
         "Play a film and watch its point move over the sphere. Read its speed and turning against chance, find the "
         "islands it comes back to, and ask whether paths tell genres apart."),
    Page("quality", "pages/5_Dataset_Quality.py", "Dataset Quality", ":material/health_and_safety:",
         "What is wrong with a dataset, what changes when one acts on it, and how do two datasets differ?",
         "Copies, wrong captions and labels, outliers, blurred pictures: each with its evidence and a threshold to "
         "move. Drop them in a what-if, read every measure beside as many dropped at random, take the list away."),
    Page("dynamics", "pages/6_Learning_Dynamics.py", "Learning Dynamics", ":material/model_training:",
         "Training as a flow on the sphere: how do images and texts find each other, and what do data do to it?",
         "Train two small towers live and watch images and captions find each other on the sphere. Turn the dials of "
         "data, loss and temperature, read doses over five seeds, follow your own checkpoints."),
    Page("foveal", "pages/7_Foveal_Attention.py", "Foveal Attention", ":material/center_focus_strong:",
         "A soft mask on the attention of an image tower: it looks at a region, and the picture stays as it is.",
         "Draw a box and see what CLIP looks at, head by head, before and after a mask on its attention. Beside it red "
         "circles, crops and blur; find what a sentence says, and which heads do it."),
    Page("words", "pages/8_Words_and_Captions.py", "Words and Captions", ":material/match_word:",
         "What can CLIP say of images, what does it find for words, and what does its text side not see?",
         "Sort images by prompts, search by words and pictures, read images, islands and the gap in concept words, let "
         "CLIP look for a caption, and test what its texts do not tell apart."),
)
PAGES = {page.word: page for page in (HOME, *SUBJECTS)}
