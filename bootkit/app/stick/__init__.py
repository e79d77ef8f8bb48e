"""What is on a stick: images and their records, choices, files of the user; read into values."""
