// The peers that must be faster than Node: one sends, one reads, and one sends back. They do what src/peers/blast.ts,
// src/peers/sink.ts and src/peers/echo.ts do. src/native.ts compiles them; src/peer.ts talks to them.
//
//   peer blast|sink AMOUNT tcp|unix PATH
//   peer echo AMOUNT tcp -
//   peer sendfile AMOUNT tcp FILE
//
// The last one is no peer but a contender: it shows what the system can do.
//
// Standard input: the length of the pattern that blast repeats, a line feed, and the pattern; later "dial PORT" or
// "dial PATH". Standard output: "port PORT", and at the end "count SENT RECEIVED". The peer serves one connection: the
// first that it accepts, or the one that it dials. Only echo serves all that it accepts, for ever.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/epoll.h>
#include <sys/sendfile.h>
#endif
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BLOCK (1024 * 1024)

typedef union {
  struct sockaddr any;
  struct sockaddr_in in;
  struct sockaddr_un un;
} address;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// Fills in an address: a path, or a port of 127.0.0.1. Returns its length.
static socklen_t fill(address *a, int isUnix, const char *text) {
  memset(a, 0, sizeof *a);
  if (isUnix) {
    a->un.sun_family = AF_UNIX;
    strncpy(a->un.sun_path, text, sizeof a->un.sun_path - 1);
    return sizeof a->un;
  }
  a->in.sin_family = AF_INET;
  a->in.sin_port = htons((unsigned short)atoi(text));
  a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return sizeof a->in;
}

// Reads a line of standard input without reading ahead. Exits at its end: then nobody needs this peer any more.
static void readLine(char *line, size_t size) {
  size_t length = 0;
  for (;;) {
    char c;
    if (read(0, &c, 1) != 1) exit(0);
    if (c == '\n') break;
    if (length < size - 1) line[length++] = c;
  }
  line[length] = 0;
}

// Sends a file without copying it into this process. Returns how many bytes went.
static unsigned long long sendWhole(int fd, const char *path, unsigned long long amount) {
  unsigned long long sent = 0;
#ifdef __linux__
  int file = open(path, O_RDONLY);
  if (file < 0) fail(path);
  for (ssize_t n = 1; n > 0 && sent < amount; sent += (unsigned long long)n) {
    n = sendfile(fd, file, NULL, (size_t)(amount - sent));
    if (n < 0) fail("sendfile");
  }
#else
  (void)path, (void)amount;
#endif
  shutdown(fd, SHUT_WR);
  return sent;
}

#ifdef __linux__
static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}
#endif

// Sends back what each connection sends: small messages, which the kernel takes at once. While it has several connections it
// does not sleep: to wake it costs the measured process 2 µs or more, and whom it costs that would be luck.
static void echoAll(int listener, char *buffer) {
#ifdef __linux__
  int epoll = epoll_create1(0), on = 1, connections = 0;
  watch(epoll, 0);
  watch(epoll, listener);
  for (;;) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, 64, connections > 1 ? 0 : -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      // Standard input says nothing to this peer. At its end nobody needs it.
      if (fd == 0) readLine(buffer, BLOCK);
      else if (fd == listener) {
        if ((fd = accept(listener, NULL, NULL)) < 0) fail("accept");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(epoll, fd);
        connections++;
      } else {
        ssize_t n = read(fd, buffer, BLOCK);
        if (n > 0 && write(fd, buffer, (size_t)n) == n) continue;
        close(fd);
        connections--;
      }
    }
  }
#else
  (void)listener, (void)buffer;
#endif
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  signal(SIGPIPE, SIG_IGN);
  int sends = strcmp(argv[1], "blast") == 0;
  unsigned long long amount = strtoull(argv[2], NULL, 10), sent = 0, received = 0;
  int isUnix = strcmp(argv[3], "unix") == 0;

  char line[256];
  readLine(line, sizeof line);
  size_t length = (size_t)atol(line);
  char *block = malloc(BLOCK + length), *buffer = malloc(BLOCK);
  if (!block || !buffer) fail("malloc");
  for (size_t n = 0; n < length;) {
    ssize_t got = read(0, block + n, length - n);
    if (got <= 0) exit(0);
    n += (size_t)got;
  }
  // Whole patterns only, so that the block can be sent again and again.
  size_t size = length;
  for (; length > 0 && size < BLOCK; size += length) memcpy(block + size, block, length);

  int family = isUnix ? AF_UNIX : AF_INET;
  int listener = socket(family, SOCK_STREAM, 0);
  address a;
  socklen_t addressLength = fill(&a, isUnix, isUnix ? argv[4] : "0");
  if (listener < 0 || bind(listener, &a.any, addressLength) < 0 || listen(listener, 1024) < 0) fail("listen");
  addressLength = sizeof a;
  getsockname(listener, &a.any, &addressLength);
  printf("port %d\n", isUnix ? 0 : ntohs(a.in.sin_port));
  fflush(stdout);
  if (strcmp(argv[1], "echo") == 0) echoAll(listener, buffer);

  struct pollfd first[2] = {{.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
  poll(first, 2, -1);
  int fd;
  if (first[0].revents) {
    readLine(line, sizeof line);
    addressLength = fill(&a, isUnix, line + strlen("dial "));
    fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, &a.any, addressLength) < 0) fail("connect");
  } else {
    fd = accept(listener, NULL, NULL);
    if (fd < 0) fail("accept");
  }
  close(listener);
  if (isUnix) unlink(argv[4]);
  int on = 1;
  if (!isUnix) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int sendsFile = strcmp(argv[1], "sendfile") == 0;
  if (sendsFile) sent = sendWhole(fd, argv[4], amount);
  fcntl(fd, F_SETFL, O_NONBLOCK);

  for (int open = 1, writing = sends; open || writing;) {
    struct pollfd p = {.fd = fd, .events = (short)((open ? POLLIN : 0) | (writing ? POLLOUT : 0))};
    poll(&p, 1, -1);
    if (writing && (p.revents & (POLLOUT | POLLERR))) {
      size_t at = (size_t)(sent % size), left = size - at;
      ssize_t n = write(fd, block + at, left < amount - sent ? left : (size_t)(amount - sent));
      if (n < 0) break;
      sent += (unsigned long long)n;
      if (sent == amount) {
        writing = 0;
        shutdown(fd, SHUT_WR);
      }
    }
    if (open && (p.revents & (POLLIN | POLLHUP | POLLERR))) {
      ssize_t n = read(fd, buffer, BLOCK);
      if (n < 0) break;
      received += (unsigned long long)n;
      if (n == 0) {
        open = 0;
        if (!sends && !sendsFile) shutdown(fd, SHUT_WR);
      }
    }
  }
  close(fd);
  printf("count %llu %llu\n", sent, received);
  fflush(stdout);
  for (;;) readLine(line, sizeof line);
}
