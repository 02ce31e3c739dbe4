#!/bin/sh
# Installs Debian packages for the tests, as root. scripts/programs.mjs runs it.
# The tests start the daemons that they need. So the packages must not start any, and leave none running.
set -eu

policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
fi
# The package of PostgreSQL makes a database, unless this file says that it must not.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
  mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "$@" >/dev/null
# The package of SpamAssassin imports keys, and leaves a gpg-agent running.
gpgconf --homedir /var/lib/spamassassin/sa-update-keys --kill gpg-agent 2>/dev/null || true
