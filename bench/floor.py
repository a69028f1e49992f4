"""What the kernel alone takes to bring bytes from a socket into files: one process sends by loopback, another receives and writes.

A broker that keeps its log in ordinary files does this too, and beside it takes requests apart, checks every batch and answers. So
no broker's CPU time for what it is sent can be below this one's, on the same machine at the same time.
"""

import os
import shutil
import socket
import tempfile
import time

CHUNK = 1 << 20
FILES = 4


def cpu_s(world, size, synced):
    """CPU seconds, user and system, of receiving so many bytes and writing them; `synced` makes each MiB durable (fdatasync)."""
    directory = tempfile.mkdtemp(dir=world.dir)
    files = [os.open(f"{directory}/{number}", os.O_WRONLY | os.O_CREAT) for number in range(FILES)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = send(server.getsockname(), size)
        connection, _ = server.accept()
    try:
        with connection:
            return receive(connection, files, size, synced)
    finally:
        os.waitpid(sender, 0)
        for file in files:
            os.close(file)
        shutil.rmtree(directory)


def send(address, size):
    """The id of a process that sends so many bytes."""
    child = os.fork()
    if child:
        return child
    try:
        chunk = os.urandom(CHUNK)
        with socket.create_connection(address) as connection:
            for at in range(0, size, CHUNK):
                connection.sendall(chunk[:size - at])
    finally:
        os._exit(0)


def receive(connection, files, size, synced):
    view, begin, done = memoryview(bytearray(CHUNK)), time.thread_time(), 0
    while done < size:
        wanted = min(CHUNK, size - done)
        got = connection.recv_into(view[:wanted], wanted, socket.MSG_WAITALL)
        if got < wanted:
            raise SystemExit("bench: the sender ended early")
        number, file = done // CHUNK, files[done // CHUNK % FILES]
        os.pwrite(file, view[:got], number // FILES * CHUNK)
        if synced:
            os.fdatasync(file)
        done += got
    return time.thread_time() - begin
