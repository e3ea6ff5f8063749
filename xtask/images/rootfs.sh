#!/bin/bash
# Makes the file tree of an image out of Debian packages: no registry, no chroot, nothing of the host's own files.
# $1 folder to make  $2 folder for packages that were fetched  $3… the packages the image is for
set -euo pipefail
root=$1 debs=$2
shift 2
rm -rf "$root"
mkdir -p "$debs" "$root"/{usr/bin,usr/sbin,usr/lib,usr/lib64,usr/local/bin,tmp,run,var/lib,etc,proc,sys,dev,root}
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
chmod 1777 "$root/tmp"

# All that the packages need, whatever the host has installed, without what only their installation scripts run.
left_out='^(perl|libperl|libtext-|libfile-|libnumber-|libjson-|libdb5|libgdbm|dpkg|tar|usrmerge|debconf|libpam-modules|passwd|adduser|libsemanage|libsepol|lsb-|init-system|sysvinit|postgresql-common|postgresql-client-common|ssl-cert|openssl|ucf|sensible-|gcc-[0-9]+-base|media-types|mailcap|libllvm|libz3|locales|libc-l10n|readline-common)'
packages=$(apt-get install --simulate -o Dir::State::status=/dev/null --no-install-recommends "$@" \
    busybox-static libc-bin tzdata netbase gosu |
    awk '/^Inst/ { print $2 "=" substr($3, 2) }' | grep -vE "$left_out")
cd "$debs"
missing=()
for package in $packages; do
    file=${package/=/_}
    compgen -G "${file//:/%3a}_*.deb" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} = 0 ] || apt-get -o APT::Sandbox::User=root -qq download "${missing[@]}"
for package in $packages; do
    file=${package/=/_}
    dpkg-deb --fsys-tarfile "${file//:/%3a}"_*.deb | tar -x -C "$root" --keep-directory-symlink --no-same-owner \
        --exclude='./usr/share/doc*' --exclude='./usr/share/man*' --exclude='./usr/share/locale*' \
        --exclude='./usr/share/info*' --exclude='./usr/share/lintian*' --exclude='./usr/share/perl*' \
        --exclude='./usr/lib/postgresql/*/lib/bitcode*' --exclude='./usr/lib/postgresql/*/lib/llvmjit*'
done
ldconfig -r "$root"
for applet in sh cat mkdir chown chmod id ls cp rm sleep env su ps hostname; do
    [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
done
cat > "$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
postgres:x:999:999::/var/lib/postgresql:/bin/sh
redis:x:998:998::/data:/bin/sh
mongodb:x:997:997::/data/db:/bin/sh
nobody:x:65534:65534::/:/bin/sh
END
cat > "$root/etc/group" <<'END'
root:x:0:
postgres:x:999:
redis:x:998:
mongodb:x:997:
nogroup:x:65534:
END
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
# Debian's redis-server package makes this link when it is installed.
[ ! -e "$root/usr/bin/redis-check-rdb" ] || ln -sf redis-check-rdb "$root/usr/bin/redis-server"
