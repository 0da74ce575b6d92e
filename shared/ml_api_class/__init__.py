"""Grading a class: a sibling of the lab that the lab never imports. Its commands: `lab class`."""
