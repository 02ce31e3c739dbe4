#!/usr/bin/env python3
# Accepts any number of connections in one process, and does to each what the lines on its standard input say.
# scripted-peer.ts starts it. Lines in both directions are JSON.
#
#   in, first:  {"tls": "1.2" | "1.3" | null, "path": PATH | null, "pattern": BASE64, "cert": PEM,
#                "key": PEM}
#   in, then:   {"do": "send" | "end" | "reset" | "stall" | "resume", "id": N, "data": BASE64}
#   out:        {"listening": PORT}
#               {"accepted": N}
#               {"id": N, "received": BYTES, "mismatch": OFFSET | null, "ended": "fin" | "reset" | null, "closed": BOOL}
#
# It ends when its standard input ends. TLS runs in memory, above the plain socket: so the plain socket can be reset,
# and an end without close_notify can be told from an end.
import base64, json, os, selectors, socket, ssl, struct, sys, tempfile

READ = 1 << 18
waiting = selectors.DefaultSelector()
connections = {}


def emit(message):
    sys.stdout.write(json.dumps(message) + '\n')
    sys.stdout.flush()


class Pattern:
    """What every connection should receive: byte i of the stream is table[i % len(table)]."""

    def __init__(self, table):
        self.period = len(table)
        # As long as a read after any offset.
        self.table = table * (READ // self.period + 2)

    def matching(self, offset, chunk):
        """How many bytes of the chunk are the expected ones."""
        start = offset % self.period
        expected = self.table[start:start + len(chunk)]
        if expected == chunk:
            return len(chunk)
        return next(i for i, byte in enumerate(chunk) if byte != expected[i])


class Plain:
    """Bytes as they are. `Secure` has the same methods."""

    def __init__(self):
        self.ready, self.unsent, self.over, self.broken = True, bytearray(), False, False

    def receive(self, chunk):
        return chunk

    def send(self, data):
        self.unsent += data

    def end(self):
        pass

    def received_fin(self):
        """Whether EOF on the socket is the whole."""
        return True


class Secure:
    """TLS between two buffers. Everything that arrives is decrypted at once: nothing waits inside OpenSSL."""

    def __init__(self, context):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.ready, self.unsent, self.over, self.broken = False, bytearray(), False, False
        self.early, self.ending = bytearray(), False

    def receive(self, chunk):
        self.incoming.write(chunk)
        plain = b''
        try:
            if not self.ready:
                self.tls.do_handshake()
                self.ready = True
                self.send(bytes(self.early))
                if self.ending:
                    self.end()
            while not self.over:
                part = self.tls.read(READ)
                plain += part
                self.over = not part
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.over = True
        except ssl.SSLError:
            self.broken = True
        self.unsent += self.outgoing.read()
        return plain

    def send(self, data):
        if not self.ready:
            self.early += data
        else:
            # OpenSSL takes one record at a time.
            rest = memoryview(data)
            while rest:
                rest = rest[self.tls.write(rest):]
            self.unsent += self.outgoing.read()

    def end(self):
        """Sends close_notify, and does not wait for the peer's."""
        self.ending = True
        if self.ready:
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass
            self.unsent += self.outgoing.read()

    def received_fin(self):
        return self.over


class Connection:
    def __init__(self, id, sock, layer):
        self.id, self.sock, self.layer = id, sock, layer
        self.received, self.mismatch, self.ended = 0, None, None
        self.announced = self.stalled = self.ending = self.finished = self.reset_seen = self.closed = False
        self.interest = 0
        self.watch()

    def watch(self):
        """Waits for what this connection can do next, and for nothing else: a stalled one is not read at all."""
        self.announce()
        if self.ended and self.finished and not self.closed:
            self.close()
        reads = not self.stalled and not self.ended
        interest = 0 if self.closed else selectors.EVENT_READ * reads | selectors.EVENT_WRITE * bool(self.layer.unsent)
        if interest == self.interest:
            return
        if not self.interest:
            waiting.register(self.sock, interest, self)
        elif not interest:
            waiting.unregister(self.sock)
        else:
            waiting.modify(self.sock, interest, self)
        self.interest = interest

    def announce(self):
        if not self.announced and self.layer.ready:
            self.announced = True
            emit({'accepted': self.id})

    def do(self, command):
        getattr(self, command['do'])(command)
        if not self.closed:
            self.write()
            self.watch()

    def send(self, command):
        if not self.ending:
            self.layer.send(base64.b64decode(command['data']))

    def end(self, _):
        if not self.ending:
            self.ending = True
            self.layer.end()

    def stall(self, _):
        self.stalled = True

    def resume(self, _):
        self.stalled = False

    def reset(self, _):
        self.close(reset=True)

    def on_ready(self, mask):
        if mask & selectors.EVENT_READ:
            self.read()
        if not self.closed:
            self.write()
            self.watch()

    def read(self):
        try:
            chunk = self.sock.recv(READ)
            plain = self.layer.receive(chunk) if chunk else b''
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            return self.end_with('reset')
        if plain and self.mismatch is None:
            matching = pattern.matching(self.received, plain)
            self.received += matching
            if matching < len(plain):
                self.mismatch = self.received
        if self.layer.over or self.layer.broken or not chunk:
            self.end_with('fin' if self.layer.received_fin() and not self.reset_seen else 'reset')
        elif plain:
            self.report()

    def end_with(self, how):
        if not self.ended:
            self.ended = how
            if how == 'reset':
                self.fail_writes()
            self.report()

    def write(self):
        """Sends what the kernel takes, and FIN behind the last byte."""
        try:
            while self.layer.unsent:
                del self.layer.unsent[:self.sock.send(self.layer.unsent)]
            if self.ending and self.layer.ready and not self.finished:
                self.finished = True
                self.sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError as error:
            # The kernel tells of a reset only once. What it has received before can still be read, up to an EOF.
            self.reset_seen = self.reset_seen or isinstance(error, ConnectionResetError)
            self.fail_writes()

    def fail_writes(self):
        self.layer.unsent.clear()
        self.ending = self.finished = True

    def report(self):
        # The first bytes may arrive together with the end of the handshake.
        self.announce()
        emit({'id': self.id, 'received': self.received, 'mismatch': self.mismatch, 'ended': self.ended,
              'closed': self.closed})

    def close(self, reset=False):
        self.closed = True
        if self.interest:
            waiting.unregister(self.sock)
            self.interest = 0
        if reset:
            # A linger of zero seconds makes close() send RST.
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.sock.close()
        del connections[self.id]
        self.report()


def listen(path):
    server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    server.bind(path or ('127.0.0.1', 0))
    server.listen(1024)
    server.setblocking(False)
    return server


def tls_context(version, cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion['TLSv' + version.replace('.', '_')]
    with tempfile.NamedTemporaryFile('w') as file:
        file.write(key + '\n' + cert)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def accept():
    while True:
        try:
            sock, _ = server.accept()
        except BlockingIOError:
            return
        except ConnectionAbortedError:
            continue
        sock.setblocking(False)
        if not options['path']:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accept.count += 1
        layer = Secure(context) if context else Plain()
        connections[accept.count] = Connection(accept.count, sock, layer)


def obey():
    """Takes what has come on the standard input. The last line may be incomplete."""
    chunk = os.read(0, 1 << 20)
    if not chunk:
        raise SystemExit
    *lines, obey.rest = (obey.rest + chunk).split(b'\n')
    for command in map(json.loads, lines):
        connection = connections.get(command['id'])
        if connection:
            connection.do(command)


first = b''
while b'\n' not in first:
    first += os.read(0, READ)
options = json.loads(first)
pattern = Pattern(base64.b64decode(options['pattern']))
context = tls_context(options['tls'], options['cert'], options['key']) if options['tls'] else None
server = listen(options['path'])
accept.count, obey.rest = 0, b''
waiting.register(server, selectors.EVENT_READ)
waiting.register(0, selectors.EVENT_READ)
emit({'listening': 0 if options['path'] else server.getsockname()[1]})
try:
    while True:
        for event, mask in waiting.select():
            if event.fd == 0:
                obey()
            elif event.data is None:
                accept()
            elif not event.data.closed:
                event.data.on_ready(mask)
finally:
    if options['path']:
        os.unlink(options['path'])
