"""Views of meshes, of point clouds and of the built-in world's solids, from many sides, without a display."""
