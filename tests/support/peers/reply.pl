#!/usr/bin/perl
# Listens and prints its port. For each connection it reads a little, sends its whole reply, and closes without reading the
# rest, so that later writes to it fail.
# Usage: reply.pl BYTES shut|close
use strict;
use warnings;
use Socket;

my ($bytes, $how) = @ARGV;
$| = 1;
socket(my $server, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
bind($server, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die "bind: $!";
listen($server, 64) or die "listen: $!";
print((sockaddr_in(getsockname $server))[0], "\n");
while (accept(my $peer, $server)) {
  sysread($peer, my $request, 1000);
  my $rest = 'y' x $bytes;
  while (length $rest) {
    my $sent = syswrite($peer, $rest) // last;
    substr($rest, 0, $sent, '');
  }
  shutdown($peer, 1) if $how eq 'shut';
  close $peer;
}
