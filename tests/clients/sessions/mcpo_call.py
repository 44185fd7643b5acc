"""mcpo: the tools as an OpenAPI server.

    mcpo_call.py COMMAND ARG...
"""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def post(origin: str, tool: str, arguments: dict) -> str:
    request = urllib.request.Request(
        f"{origin}/{tool}", json.dumps(arguments).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        # A result that is an error, such as of a server without data, is a 500 with what the tool said in it.
        if error.code != 500:
            raise
        return error.read().decode()


def main(*server: str) -> None:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    program = Path(sys.executable).with_name("mcpo")
    bridge = subprocess.Popen(
        [program, "--host", "127.0.0.1", "--port", str(port), "--", *server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            try:
                if "hi" in post(origin, "echo", {"message": "hi"}):
                    break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        else:
            raise AssertionError("mcpo does not answer")
        assert "latency" in post(origin, "collect_telemetry_context", {"context_type": "latency"}).lower()
    finally:
        bridge.terminate()
        bridge.wait(20)


if __name__ == "__main__":
    main(*sys.argv[1:])
    print("fine")
