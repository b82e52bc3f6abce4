"""Video-to-motion engine: from 2D keypoints to 3D joints to bone rotations.

The light half (numpy and the standard library) is imported by the add-on inside Blender; the heavy half
(torch, OpenCV, mediapipe, scipy) runs in the worker process only. `tests/test_layering.py` holds that line.
"""
