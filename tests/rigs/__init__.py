"""Tests of how the avatars and the demo clip are made."""
