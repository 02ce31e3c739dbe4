#!/usr/bin/perl
# Listens on a path and prints "listening". For each connection it stops reading and prints "deaf": later writes to it fail,
# and it never ends.
# Usage: deaf.pl PATH
use strict;
use warnings;
use Socket;

my ($path) = @ARGV;
$| = 1;
socket(my $server, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
bind($server, pack_sockaddr_un($path)) or die "bind: $!";
listen($server, 64) or die "listen: $!";
print "listening\n";
my @peers;
while (accept(my $peer, $server)) {
  shutdown($peer, 0);
  push @peers, $peer;
  print "deaf\n";
}
