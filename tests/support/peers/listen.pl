#!/usr/bin/perl
# Listens on one port of several addresses and prints the port. Reads every connection to its end. A silent address has a
# full queue, so that the kernel does not answer there. It has no SO_REUSEADDR, so a port in TIME_WAIT is refused.
#
# Each line on its standard input is a command:
#   ends    Prints how the connections have ended since the last "ends": "empty" with FIN and without a byte, "whole" with
#           FIN after bytes, "reset"; and how many are open. As JSON.
#   accept  Accepts on the silent addresses from now on.
#   refuse  Stops listening on the first silent address.
#
# Usage: listen.pl PORT [silent:]ADDRESS...      Port 0 chooses one.
use strict;
use warnings;
use IO::Select;
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6 sockaddr_family);

my ($port, @addresses) = @ARGV;
$| = 1;

sub name_of {
  my ($address, $port) = @_;
  return pack_sockaddr_in6($port, inet_pton(AF_INET6, $address)) if $address =~ /:.*:/;
  return pack_sockaddr_in($port, inet_aton($address));
}

sub stream_to {
  my ($name) = @_;
  socket(my $stream, sockaddr_family($name), SOCK_STREAM, 0) or die "socket: $!";
  return $stream;
}

my (@listeners, @silent, @fillers);

# Listens on all addresses, on one port. Returns it, or 0 if it is taken on one of them.
sub listen_on {
  my ($port) = @_;
  (@listeners, @silent, @fillers) = ();
  for (@addresses) {
    my ($silent, $address) = /^(silent:)?(.*)/;
    my $listener = stream_to(name_of($address, $port));
    bind($listener, name_of($address, $port)) or return 0;
    listen($listener, $silent ? 0 : 1000) or die "listen: $!";
    # The port is in the same place in the names of both families.
    $port ||= unpack 'x2n', getsockname $listener;
    push @{ $silent ? \@silent : \@listeners }, $listener;
    next unless $silent;
    # One connection fills a queue of length 0.
    my $filler = stream_to(getsockname $listener);
    connect($filler, getsockname $listener) or die "connect: $!";
    push @fillers, $filler;
  }
  return $port;
}

my $found = listen_on($port);
for (1 .. 20) { $found ||= listen_on(0) if $port == 0 }
die "The port $port is taken: $!\n" unless $found;
print "$found\n";

my %ended = (empty => 0, whole => 0, reset => 0);
my %bytes;
my %is_listener = map { $_ => 1 } @listeners;
my $ready = IO::Select->new(\*STDIN, @listeners);

my %commands = (
  ends => sub {
    my @counts = map { qq("$_":$ended{$_}) } qw(empty whole reset);
    print '{', join(',', @counts, '"open":' . keys %bytes), "}\n";
    %ended = (empty => 0, whole => 0, reset => 0);
  },
  accept => sub {
    accept(my $filled, $_) for @silent;
    @fillers = ();
    $is_listener{$_} = 1 for @silent;
    $ready->add(@silent);
  },
  refuse => sub { close shift @silent },
);

while (my @handles = $ready->can_read) {
  for my $handle (@handles) {
    if ($handle == \*STDIN) {
      # The end of the input is the end of the test.
      exit unless sysread(STDIN, my $lines, 1000);
      $commands{$_}->() for split /\n/, $lines;
    } elsif ($is_listener{$handle}) {
      accept(my $peer, $handle) or next;
      $bytes{$peer} = 0;
      $ready->add($peer);
    } else {
      my $got = sysread($handle, my $chunk, 65536);
      if ($got) {
        $bytes{$handle} += $got;
        next;
      }
      $ended{ !defined $got ? 'reset' : $bytes{$handle} ? 'whole' : 'empty' }++;
      delete $bytes{$handle};
      $ready->remove($handle);
      close $handle;
    }
  }
}
