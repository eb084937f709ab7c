"""`python -m starter` is `gonogo`."""

from starter.cli import main

main()
