#!/usr/bin/perl
# Connects, sends bytes, and ends in the given way. It is written in Perl because Perl is on every machine and is not Node.
# Usage: send.pl PORT BYTES fin|rst|finrst [COUNT]
use strict;
use warnings;
use Socket;

my ($port, $bytes, $how, $count) = (@ARGV, 1);
for (1 .. $count) {
  socket(my $peer, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
  connect($peer, pack_sockaddr_in($port, INADDR_LOOPBACK)) or die "connect: $!";
  my $rest = 'x' x $bytes;
  while (length $rest) {
    my $sent = syswrite($peer, $rest) // die "write: $!";
    substr($rest, 0, $sent, '');
  }
  shutdown($peer, 1) if $how eq 'finrst';
  # A linger of zero seconds makes close() send RST.
  setsockopt($peer, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) if $how =~ /rst/;
  close $peer;
}
