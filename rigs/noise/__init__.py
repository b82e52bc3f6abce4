"""The films on which the 2D detector is measured: mocap on the avatars, before many cameras, with their true joints."""
