"""Makes `python -m twin` the same as `twin`."""

from twin.cli import main

main()
