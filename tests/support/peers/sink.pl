#!/usr/bin/perl
# Listens and prints its port. Accepts one connection and waits for a line on its standard input. Then reads the connection to
# its end, and prints the number of bytes and how it ended: "eof" or "reset".
# Usage: sink.pl
use strict;
use warnings;
use Errno qw(ECONNRESET);
use Socket;

$| = 1;
socket(my $server, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
bind($server, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die "bind: $!";
listen($server, 1) or die "listen: $!";
print((sockaddr_in(getsockname $server))[0], "\n");
accept(my $peer, $server) or die "accept: $!";
<STDIN>;
my ($bytes, $got) = (0, 0);
$bytes += $got while $got = sysread($peer, my $chunk, 65536);
print "$bytes ", defined $got ? 'eof' : $! == ECONNRESET ? 'reset' : "$!", "\n";
