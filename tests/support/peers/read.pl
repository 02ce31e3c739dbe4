#!/usr/bin/perl
# Connects and reads the given number of bytes at the given rate, in bytes per second. Prints "paused" and waits for a line on
# its standard input. Then reads the connection to its end as fast as it can, and prints the number of all bytes and how it
# ended: "eof" or "broken". With "fin" it sends FIN before it reads.
# Usage: read.pl tcp|tls PORT BYTES RATE [fin]
#        read.pl unix PATH BYTES RATE
use strict;
use warnings;
use Socket;

my ($kind, $address, $limit, $rate, $how) = (@ARGV, '');
my $step = 8192;
$| = 1;
my $peer;
if ($kind eq 'tls') {
  # The pipe is small: if it is full, openssl stops reading as well.
  my @ends = ('-connect', "127.0.0.1:$address");
  open($peer, '-|', "exec openssl s_client -quiet @ends </dev/null 2>/dev/null") or die "openssl: $!";
} elsif ($kind eq 'unix') {
  socket($peer, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
  connect($peer, pack_sockaddr_un($address)) or die "connect: $!";
} else {
  socket($peer, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
  setsockopt($peer, SOL_SOCKET, SO_RCVBUF, 65536) or die "setsockopt: $!";
  connect($peer, pack_sockaddr_in($address, INADDR_LOOPBACK)) or die "connect: $!";
}
shutdown($peer, 1) if $how eq 'fin';

my ($bytes, $got) = (0, 1);
while ($bytes < $limit && ($got = sysread($peer, my $chunk, $step))) {
  $bytes += $got;
  select(undef, undef, undef, $got / $rate);
}
if ($got) {
  print "paused\n";
  <STDIN>;
  $bytes += $got while $got = sysread($peer, my $chunk, 65536);
}
# openssl exits with another code than 0 if the connection breaks.
print "$bytes ", defined $got && close $peer ? 'eof' : 'broken', "\n";
