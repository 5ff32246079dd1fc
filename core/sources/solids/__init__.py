"""The built-in world: solids in settings, drawn in styles, with captions; seeded, and rendered here."""
