"""A sign that only beats, until its agent or its time is gone."""

import select
import sys

while not select.select([sys.stdin], [], [], 0.05)[0] or sys.stdin.readline():
    sys.stdout.write("beat\n")
    sys.stdout.flush()
