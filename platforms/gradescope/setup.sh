#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image of the autograder.
set -euo pipefail
root=${AUTOGRADER:-/autograder}

for python in python3.15 python3.14 python3.13 python3.12 python3.11 python3; do
  if "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    "$python" -m venv "$root/venv"
    "$root/venv/bin/python" -m pip install --quiet \
      --constraint "$root/source/constraints.txt" --editable "$root/source"
    exit
  fi
done
echo "The lab needs Python 3.11 or later with venv; choose a base image that has it." >&2
exit 1
