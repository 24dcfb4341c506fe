"""The sandbox's child: reads files from its standard input, writes their text. It limits itself before it reads any.

In: 4 bytes length and the name, 8 bytes length and the content. Out: a byte when it is ready, then 4 bytes
length and the text. It ends with its input, and dies with its parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import signal
import sys

from documents.extract.readers import text_of

READY = b"+"
MEMORY_BYTES = 1 << 30
"""Address space: interpreter, readers and one file. Decompression bombs meet this."""
CPU_S = 600
"""Of the whole life; the parent has a clock for each file."""
PR_SET_PDEATHSIG = 1


def limit() -> None:
    """No more memory, no files written, no core, no life without the parent."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.nice(10)


def serve() -> None:
    """Answer until the input ends."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    sink.write(READY)
    sink.flush()
    while len(head := source.read(4)) == 4:
        name = source.read(int.from_bytes(head, "big")).decode("utf-8", "replace")
        content = source.read(int.from_bytes(source.read(8), "big"))
        try:
            text = text_of(name, content)
        except BaseException:
            text = ""
        answer = text.encode("utf-8", "replace")
        sink.write(len(answer).to_bytes(4, "big") + answer)
        sink.flush()
        del content, text, answer
        gc.collect()


if __name__ == "__main__":
    limit()
    serve()
