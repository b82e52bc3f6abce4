"""What the video's own camera does: whether it stands still, how it turns and zooms, how wide it sees."""
