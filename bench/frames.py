"""The few Kafka requests that the benchmarks send by hand, where a client library would come between: Metadata v1, Produce v7."""

import socket
import struct
import time

METADATA, PRODUCE = 3, 0


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC32C = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC32C[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(number):
    number = number << 1 ^ number >> 63
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def batch(values):
    """A record batch of magic 2, uncompressed, without keys."""
    now, records = int(time.time() * 1000), b""
    for offset, value in enumerate(values):
        record = b"\0" + varint(0) + varint(offset) + varint(-1) + varint(len(value)) + value + varint(0)
        records += varint(len(record)) + record
    last = len(values) - 1
    checked = struct.pack(">hiqqqhii", 0, last, now, now, -1, -1, -1, len(values)) + records
    return struct.pack(">qiibI", 0, len(checked) + 9, -1, 2, crc32c(checked)) + checked


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def request(api, version, body):
    header = struct.pack(">hhi", api, version, 1) + text("bench")
    return struct.pack(">i", len(header) + len(body)) + header + body


def metadata():
    """Asks for the brokers and for no topic."""
    return request(METADATA, 1, struct.pack(">i", 0))


def produce(topic, partition, records, acks=1):
    body = struct.pack(">hhi", -1, acks, 30000)
    body += struct.pack(">i", 1) + text(topic) + struct.pack(">ii", 1, partition) + struct.pack(">i", len(records)) + records
    return request(PRODUCE, 7, body)


def produce_error(answer, topic):
    """The error code of the only partition of an answer to `produce`."""
    at = 4 + 4 + 2 + len(topic) + 4 + 4
    return struct.unpack_from(">h", answer, at)[0]


def connect(address):
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def receive(connection):
    """The body of one answer, which begins with the correlation id."""
    def exactly(count):
        data = b""
        while len(data) < count:
            more = connection.recv(count - len(data))
            if not more:
                raise ConnectionError("the broker closed the connection")
            data += more
        return data
    return exactly(struct.unpack(">i", exactly(4))[0])


def ask(address, message):
    """The answer, or None when nobody answers."""
    try:
        with connect(address) as connection:
            connection.sendall(message)
            return receive(connection)
    except OSError:
        return None


def brokers_known(address):
    answer = ask(address, metadata())
    return struct.unpack_from(">i", answer, 4)[0] if answer else 0


def produced(address, topic, partition=0):
    """Whether one record was taken."""
    answer = ask(address, produce(topic, partition, batch([b"x" * 100])))
    return answer is not None and produce_error(answer, topic) == 0
