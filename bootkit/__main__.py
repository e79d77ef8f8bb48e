"""``python3 -m bootkit``: also from a bare checkout, and under sudo."""

from bootkit.cli import main

main()
