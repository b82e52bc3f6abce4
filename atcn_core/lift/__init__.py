"""Lifting 2D keypoints to 3D joints: the network, its input form, its weights and their use on a clip."""
