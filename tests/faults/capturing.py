"""A process that captures until it is killed, and prints the number of every event that was accepted.

python capturing.py FOLDER COUNT
"""

import os
import sys

from tuppence import config as configuration
from tuppence.capture.client import Client


def main(folder, count):
    client = Client(configuration.load(f"{folder}/tuppence.toml", environ={}))
    for n in range(count):
        seq = client.capture("tick", user=f"u{n % 50}", n=n, text="Why has my card payment not arrived?")
        os.write(1, b"%d\n" % seq)
    os.write(1, b"done\n")
    sys.stdin.read()


main(sys.argv[1], int(sys.argv[2]))
