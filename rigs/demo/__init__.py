"""How the demo clip is made: the acted motion in numpy, and the stage in Blender where it is filmed."""
