"""`python -m ml_api_lab.cli`: the command `lab`, where it is not on the PATH."""

from ml_api_lab.cli.main import main

main()
