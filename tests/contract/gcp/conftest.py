from gcp.fixtures import *  # noqa: F403 - fixtures, which pytest finds by their names here
