"""The world read into values. Nothing here writes, mounts or needs a privilege."""
