"""What an image tower looks at: regions of a picture, masks on its attention, edits of its pixels, maps and heads."""
