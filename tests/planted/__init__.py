"""Faults planted in the program one at a time, to see that the tests can turn red."""
