"""`python -m topcalls_tools.cli`: the command line."""

from . import main

main()
