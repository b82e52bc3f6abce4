"""The gallery: videos captured onto the avatars, laid out as one sheet. `render_gallery.py` leads."""
