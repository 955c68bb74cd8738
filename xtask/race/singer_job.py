"""singer-sdk: `tap | target`. Durable by the state that the target gives out, kept here as it comes."""

import os
import pathlib
import subprocess
import sys

import job

here = pathlib.Path(__file__).parent
kept = pathlib.Path(job.FOLDER, "state.json")

tap = [sys.executable, str(here / "singer_tap.py")]
if kept.exists():
    tap += ["--state", str(kept)]
reading = subprocess.Popen(tap, stdout=subprocess.PIPE)
target = [sys.executable, str(here / "singer_target.py")]
writing = subprocess.Popen(target, stdin=reading.stdout, stdout=subprocess.PIPE, text=True)
reading.stdout.close()
for line in writing.stdout:
    beside = kept.with_suffix(".new")
    beside.write_text(line, encoding="utf-8")
    os.replace(beside, kept)
sys.exit(reading.wait() or writing.wait())
