"""The style of one object's scene on another object: composed by subspaces, prompts or plain arithmetic.

In the formulas v_B is the view whose object is kept (the content), v_A the view whose style is taken, s the mean of a
style over objects, P a projector, t a text. All is on unit vectors; ``alpha`` is how far one goes from v_B.

PAE is that of Zhou et al., CLIP-PAE, 2022, arXiv:2210.03919: W is the principal components of the prompts, w = P_W v_B,
r = v_B - w, c_k and d_k the coordinates of w and of P_W t_A; the released code adds t_A itself where the paper has
P_W t_A. The subspace formulas are this project's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_choice, check_vectors
from core.geometry.objects.subspaces import Subspace, fit_span, fit_variation
from core.geometry.objects.views import ObjectViews

COMPONENTS = 10


@dataclass(frozen=True, eq=False)
class StyleFit:
    """What was learnt from fitted views.

    Attributes
    ----------
    means : (styles, d) float64, mean vector of each style over objects and views.
    spans : by object, the span of its views as they are, all directions.
    residuals : by object, the span of its views less the mean of their style.
    texts : (styles, d) float64, unit rows, a prompt for each style; or None.
    text_basis : (k, d) float64, orthonormal: directions between the styles' prompts; empty without prompts.
    """

    means: np.ndarray
    spans: dict[int, Subspace]
    residuals: dict[int, Subspace]
    texts: np.ndarray | None
    text_basis: np.ndarray


@dataclass(frozen=True, eq=False)
class Requests:
    """Objects to keep and styles to take, a row each.

    Attributes
    ----------
    content, source : (n, d) floats, unit rows: the view whose object is kept, and the view whose style is taken.
    content_object, content_style, source_object, source_style : (n,) int64, what they show.
    """

    content: np.ndarray
    source: np.ndarray
    content_object: np.ndarray
    content_style: np.ndarray
    source_object: np.ndarray
    source_style: np.ndarray

    @classmethod
    def of(cls, views: ObjectViews, content: np.ndarray, source: np.ndarray) -> Requests:
        """From (n,) rows of views each."""
        return cls(views.vectors[content], views.vectors[source], views.objects[content], views.styles[content],
                   views.objects[source], views.styles[source])


@dataclass(frozen=True, eq=False)
class Composed:
    """What came out.

    Attributes
    ----------
    vectors : (n, d) float64, unit rows.
    residuals : (n,) float64, length of what a method leaves outside its subspaces: of the source's part that carries
        the style for subspaces, of the content's part outside the prompts' subspace for PAE; NaN for arithmetic.
    """

    vectors: np.ndarray
    residuals: np.ndarray


@dataclass(frozen=True)
class Method:
    """A way to compose: title, what it needs ("spans", "residuals", "texts", "means", "nothing"), what is chosen."""

    title: str
    formula: str
    needs: str
    compose: Callable[[StyleFit, Requests, int, float, bool], tuple[np.ndarray, np.ndarray]]
    chosen: tuple[str, ...] = ("alpha",)


def fit_styles(views: ObjectViews, texts: np.ndarray | None = None, *, components: int = COMPONENTS) -> StyleFit:
    """Style means and subspaces of objects, all directions.

    Parameters
    ----------
    views : to fit; every style that is to be used is seen on several objects, or its mean is that of one object.
    texts : (styles, d) unit rows, a prompt for each style; or None.
    components : of the prompts' subspace at most, >= 1; there are no more than styles - 1.
    """
    d = views.vectors.shape[1]
    x = views.vectors.astype(np.float64)
    means = np.full((len(views.style_names), d), np.nan)
    for style in np.unique(views.styles).tolist():
        means[style] = x[views.styles == style].mean(axis=0)
    numbers = np.unique(views.objects).tolist()
    away = x - means[views.styles]
    basis = np.zeros((0, d))
    if texts is not None:
        check_vectors(texts, what="prompts of the styles", unit=True)
        if len(texts) != len(views.style_names):
            raise ShapeError(f"{len(views.style_names)} prompts, one a style", str(len(texts)))
        texts = texts.astype(np.float64)
        basis = _oriented(fit_variation(texts, components).basis, texts)
    return StyleFit(means, {k: fit_span(x[views.objects == k]) for k in numbers},
                    {k: fit_span(away[views.objects == k]) for k in numbers}, texts, basis)


def _oriented(basis: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Each direction towards the prompt that lies farthest along it: PAE+ depends on signs, which a fit leaves open."""
    along = (texts - texts.mean(axis=0)) @ basis.T
    ends = along[np.abs(along).argmax(axis=0), np.arange(len(basis))]
    return basis * np.where(ends < 0, -1.0, 1.0)[:, None]


def compose(key: str, fit: StyleFit, requests: Requests, *, rank: int = 1, alpha: float = 1.0,
            change: bool = False) -> Composed:
    """The kept object in the taken style.

    Parameters
    ----------
    key : of METHODS.
    fit : of views that are not among the requests.
    requests : n of them.
    rank : of the objects' subspaces, where the method has them.
    alpha : how far to go; 1 is each formula as it is written, 0 the content itself.
    change : how the two subspace methods clean the style's view: False (transfer) by its own object's subspace, True
        (change) by that of the object that is kept.

    Raises
    ------
    ChoiceError, ShapeError
        If there is no such method, or the fit lacks what it needs.
    """
    check_choice("a way to compose", key, METHODS)
    method = METHODS[key]
    if method.needs == "texts" and fit.texts is None:
        raise ShapeError(f"prompts of the styles for {method.title}", "none", "Write one prompt for each style.")
    if method.needs in ("means", "residuals") and not np.isfinite(
            fit.means[np.concatenate([requests.content_style, requests.source_style])]).all():
        raise ShapeError(f"views in both styles for {method.title}", "a style that no fitted view has",
                         "Use a method with prompts.")
    if method.needs in ("spans", "residuals"):
        missing = set(requests.content_object.tolist()) | (set() if change else set(requests.source_object.tolist()))
        if missing - set(fit.spans):
            raise ShapeError("fitted views of every object", f"none of object {min(missing - set(fit.spans))}")
    raw, residuals = method.compose(fit, requests, rank, alpha, change)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    if (lengths == 0).any():
        raise ShapeError("vectors that do not cancel out", f"{int((lengths == 0).sum())} that do",
                         "Choose another alpha.")
    return Composed(raw / lengths, residuals)


def _inside(subspaces: dict[int, Subspace], objects: np.ndarray, x: np.ndarray, rank: int) -> np.ndarray:
    """(n, d) part of each row in its object's subspace."""
    out = np.empty_like(x)
    for number in np.unique(objects).tolist():
        rows, basis = objects == number, subspaces[number].basis[:rank]
        out[rows] = x[rows] @ basis.T @ basis
    return out


def _wide(requests: Requests) -> tuple[np.ndarray, np.ndarray]:
    return requests.content.astype(np.float64), requests.source.astype(np.float64)


def _towards(start: np.ndarray, end: np.ndarray, alpha: float) -> np.ndarray:
    return start + alpha * (end - start)


def _published(fit: StyleFit, requests: Requests, rank: int, alpha: float, change: bool
               ) -> tuple[np.ndarray, np.ndarray]:
    content, source = _wide(requests)
    cleaned_by = requests.content_object if change else requests.source_object
    outside = source - _inside(fit.spans, cleaned_by, source, rank)
    end = _inside(fit.spans, requests.content_object, content, rank) + outside
    return _towards(content, end, alpha), np.linalg.norm(outside, axis=1)


def _on_residuals(fit: StyleFit, requests: Requests, rank: int, alpha: float, change: bool
                  ) -> tuple[np.ndarray, np.ndarray]:
    content, source = _wide(requests)
    taken = fit.means[requests.source_style]
    cleaned_by = requests.content_object if change else requests.source_object
    outside = source - taken - _inside(fit.residuals, cleaned_by, source - taken, rank)
    own = content - fit.means[requests.content_style]
    end = taken + _inside(fit.residuals, requests.content_object, own, rank) + outside
    return _towards(content, end, alpha), np.linalg.norm(outside, axis=1)


def _arithmetic(fit: StyleFit, requests: Requests, rank: int, alpha: float, change: bool
                ) -> tuple[np.ndarray, np.ndarray]:
    content, _ = _wide(requests)
    step = fit.means[requests.source_style] - fit.means[requests.content_style]
    return content + alpha * step, np.full(len(content), np.nan)


def _text_arithmetic(fit: StyleFit, requests: Requests, rank: int, alpha: float, change: bool
                     ) -> tuple[np.ndarray, np.ndarray]:
    assert fit.texts is not None
    content, _ = _wide(requests)
    step = fit.texts[requests.source_style] - fit.texts[requests.content_style]
    return content + alpha * step, np.full(len(content), np.nan)


def _in_prompts(fit: StyleFit, requests: Requests) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Content, its coordinates along the prompts' directions, what is left of it, and those of the style's prompt."""
    assert fit.texts is not None
    content, _ = _wide(requests)
    along = content @ fit.text_basis.T
    return content, along, content - along @ fit.text_basis, fit.texts[requests.source_style] @ fit.text_basis.T


def _pae(fit: StyleFit, requests: Requests, rank: int, alpha: float, change: bool) -> tuple[np.ndarray, np.ndarray]:
    content, _, left, prompt = _in_prompts(fit, requests)
    return content + alpha * prompt @ fit.text_basis, np.linalg.norm(left, axis=1)


def _plus(fit: StyleFit, requests: Requests, alpha: float, added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, along, left, prompt = _in_prompts(fit, requests)
    less = (along - alpha * np.abs(along)) @ fit.text_basis
    whole = prompt.sum(axis=1, keepdims=True)
    scale = np.abs(along).sum(axis=1, keepdims=True) / np.where(whole == 0, np.inf, whole)
    return left + less + alpha * scale * added, np.linalg.norm(left, axis=1)


def _pae_plus(fit: StyleFit, requests: Requests, rank: int, alpha: float, change: bool
              ) -> tuple[np.ndarray, np.ndarray]:
    return _plus(fit, requests, alpha, _in_prompts(fit, requests)[3] @ fit.text_basis)


def _pae_plus_text(fit: StyleFit, requests: Requests, rank: int, alpha: float, change: bool
                   ) -> tuple[np.ndarray, np.ndarray]:
    assert fit.texts is not None
    return _plus(fit, requests, alpha, fit.texts[requests.source_style])


def _sum(fit: StyleFit, requests: Requests, rank: int, alpha: float, change: bool) -> tuple[np.ndarray, np.ndarray]:
    content, source = _wide(requests)
    return content + alpha * source, np.full(len(content), np.nan)


METHODS: dict[str, Method] = {
    "subspace": Method("subspaces of residuals", "s_A + P_B(v_B - s_B) + (I - P_A)(v_A - s_A)", "residuals",
                       _on_residuals, ("rank", "alpha")),
    "subspace_published": Method("subspaces as written", "P_B v_B + (I - P_A) v_A", "spans", _published,
                                 ("rank", "alpha")),
    "pae": Method("PAE", "v_B + alpha P_W t_A", "texts", _pae),
    "pae_plus": Method("PAE+", "r + sum (c_k - alpha |c_k|) b_k + alpha (sum |c_k| / sum d_k) P_W t_A", "texts",
                       _pae_plus),
    "pae_plus_text": Method("PAE+, released code", "r + sum (c_k - alpha |c_k|) b_k + alpha (sum |c_k| / sum d_k) t_A",
                            "texts", _pae_plus_text),
    "arithmetic": Method("style means", "v_B + alpha (s_A - s_B)", "means", _arithmetic),
    "text": Method("text directions", "v_B + alpha (t_A - t_B)", "texts", _text_arithmetic),
    "sum": Method("sum of both", "v_B + alpha v_A", "nothing", _sum),
}
