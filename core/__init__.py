"""Orrery's core: what CLIP learns and perceives, as arrays, reports and figures."""
