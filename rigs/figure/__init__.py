"""How the avatars are made: shapes, proportions, skin weights and bones, in numpy; only `scene` touches Blender."""
