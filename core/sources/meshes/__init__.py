"""Meshes and point clouds that a user brings."""
