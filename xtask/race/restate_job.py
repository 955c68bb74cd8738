"""Restate: its server beside the services of `restate_service.py`. Durable step by step, in the server's log."""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

import job

here = pathlib.Path(__file__).parent
PORTS = job.JOB["ports"]
INGRESS, ADMIN, NODE, SERVICES = (f"127.0.0.1:{port}" for port in PORTS)


def call(method, address, body=None, patience=60):
    """Asks until it is answered: the server takes a moment to begin."""
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://{address}", data, headers, method=method)
    end = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(request, timeout=3600) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            if refused.code == 409 or time.monotonic() > end:
                return refused.code
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


server = subprocess.Popen(
    [job.JOB["restate"], "--no-logo", "--listen-mode", "tcp"],
    env={
        **os.environ,
        "RESTATE_BASE_DIR": f"{job.FOLDER}/restate",
        "RESTATE_NODE_NAME": "race",
        "RESTATE_BIND_ADDRESS": NODE,
        "RESTATE_ADVERTISED_ADDRESS": f"http://{NODE}",
        "RESTATE_INGRESS__BIND_ADDRESS": INGRESS,
        "RESTATE_ADMIN__BIND_ADDRESS": ADMIN,
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LOG_FILTER": "error",
        "DO_NOT_TRACK": "1",
    },
    stdout=subprocess.DEVNULL,
)
services = subprocess.Popen(
    # Without workers: it serves by itself, and leaves no process behind when it is killed.
    [sys.executable, "-m", "hypercorn", "restate_service:app", "--workers", "0", "--bind", SERVICES],
    cwd=here,
    stderr=subprocess.DEVNULL,
)
try:
    call("GET", f"{ADMIN}/health")
    call("POST", f"{ADMIN}/deployments", {"uri": f"http://{SERVICES}", "force": True})
    # Begun once: after a kill it is refused, and the one that was killed goes on by itself.
    call("POST", f"{INGRESS}/sync/only/run/send")
    status = call("GET", f"{INGRESS}/restate/workflow/sync/only/attach")
finally:
    for process in (services, server):
        process.kill()
        process.wait()
sys.exit(0 if status == 200 else 1)
