"""Runs the emulator until the process that started it has ended.

Standard input is a pipe whose other end that process holds. When the process ends, even by SIGKILL, the pipe closes.
This program then kills its whole process group: the emulator and the functions that it runs.
"""

import os
import signal
import socketserver
import sys
import threading


def end_with_starter():
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=end_with_starter, daemon=True).start()
# The emulator sends each event to its function in two small packets. With Nagle's algorithm, the second one waits for
# the acknowledgement of the first one, which the function delays by 40 ms: most of the time of an invocation.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True
sys.argv = ["ministack"]

from ministack.services import lambda_svc  # noqa: E402  (the watch must run before anything can fail)
from ministack.app import main  # noqa: E402

emulated = lambda_svc._function_url_stream_response


def answer_with_cookies(result, cors_headers):
    """AWS sends the cookies of a streamed answer as headers. The emulator sends only those of a buffered one."""
    status, headers, body = emulated(result, cors_headers)
    payload = result.get("body") or b""
    payload = payload.encode() if isinstance(payload, str) else payload
    prelude, _ = lambda_svc._split_stream_prelude(payload)
    cookies = (prelude or {}).get("cookies")
    if cookies:
        headers["Set-Cookie"] = list(cookies)
    return status, headers, body


lambda_svc._function_url_stream_response = answer_with_cookies

main()
