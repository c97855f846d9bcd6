"""Runs the emulator until the process that started it is gone.

Standard input is a pipe whose other end that process holds. When it ends, even by kill -9, the pipe closes, and the
whole process group goes: the emulator and the functions it runs.
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
# The emulator hands events to functions in two small packets. Without this the second one waits for the first one's
# acknowledgement, which the function's side delays by 40 ms: most of an invocation's time.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True
sys.argv = ["ministack"]

from ministack.app import main  # noqa: E402  (the watch must stand before anything can fail)

main()
