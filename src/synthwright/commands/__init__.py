"""What the commands do: the face of files, between the command line and the line.

Nothing is imported here: `--help` needs `saying` alone, and the rest takes half a second to load.
"""
