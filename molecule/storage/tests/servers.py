"""What makes nodes of the lab servers: scripts that they run, as often as one likes."""

ISCSI = "iqn.2026-01.com.example:lab"
POSTGRES = """
test -d /etc/postgresql/15/main || pg_createcluster 15 main
systemctl start postgresql@15-main
cd /etc/postgresql/15/main
install -o postgres -m 600 /root/server.key server.key
install -o postgres -m 644 /root/server.crt server.crt
grep -q lab-tests postgresql.conf || cat >> postgresql.conf <<'END'
# lab-tests
listen_addresses = '*'
ssl = on
ssl_cert_file = '/etc/postgresql/15/main/server.crt'
ssl_key_file = '/etc/postgresql/15/main/server.key'
fsync = off
END
grep -q lab-tests pg_hba.conf || cat >> pg_hba.conf <<'END'
hostssl pextra_ce pextra_ce all scram-sha-256 # lab-tests
END
systemctl restart postgresql@15-main
runuser -u postgres -- psql -q <<'END'
DROP DATABASE IF EXISTS pextra_ce WITH (FORCE);
DROP ROLE IF EXISTS pextra_ce;
CREATE ROLE pextra_ce LOGIN PASSWORD 'lab';
CREATE DATABASE pextra_ce OWNER pextra_ce ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0;
END
"""
"""A database server that others reach, whose certificate was put on the node before."""
SERVER = f"""
modprobe -a nfsd iscsi_target_mod target_core_file loop
mkdir -p /srv/nfs /srv/cifs /srv/lun
if ! mountpoint -q /srv/nfs; then
    blkid /dev/ubdb || mkfs.ext4 -q -m 0 /dev/ubdb # full for root, too
    mount /dev/ubdb /srv/nfs
fi
echo '/srv/nfs *(rw,no_root_squash,no_subtree_check,fsid=1)' > /etc/exports
mkdir -p /etc/nfs.conf.d # after a start, locks are given when clients had time for their old ones
printf '[nfsd]\\ngrace-time = 10\\n' > /etc/nfs.conf.d/lab.conf
systemctl restart nfs-server
exportfs -ra
cat > /etc/samba/smb.conf <<'END'
[global]
server min protocol = SMB2
map to guest = never
[images]
path = /srv/cifs
read only = no
END
id files >/dev/null 2>&1 || useradd -M -s /usr/sbin/nologin files
chown files /srv/cifs
printf 'cifs-secret\\ncifs-secret\\n' | smbpasswd -s -a files >/dev/null
systemctl restart smbd
targetcli clearconfig confirm=true >/dev/null
losetup -D
rm -f /srv/lun/*
for number in 1 2 3; do
    truncate -s $((32 * number))M /srv/lun/$number
    losetup /dev/loop$number /srv/lun/$number
done
targetcli >/dev/null <<'END'
/backstores/fileio create lun1 /dev/loop1
/backstores/fileio create lun2 /dev/loop2
/backstores/fileio create lun3 /dev/loop3
/iscsi create {ISCSI}
/iscsi/{ISCSI}/tpg1/luns create /backstores/fileio/lun1 1
/iscsi/{ISCSI}/tpg1/luns create /backstores/fileio/lun2 2
/iscsi/{ISCSI}/tpg1/luns create /backstores/fileio/lun3 3
/iscsi/{ISCSI}/tpg1 set attribute authentication=1 generate_node_acls=1 cache_dynamic_acls=1
/iscsi/{ISCSI}/tpg1 set attribute demo_mode_write_protect=0
/iscsi/{ISCSI}/tpg1 set auth userid=node password=chap-secret-1
END
"""
"""NFS, CIFS and iSCSI."""
CEPH = """
killall -q -w ceph-mgr ceph-osd ceph-mon || true
mkdir -p /etc/ceph /srv/ceph/mon /srv/ceph/mgr /srv/ceph/osd /run/ceph
rm -rf /srv/ceph/*/* /root/monmap /root/mon.keyring /etc/ceph/*.keyring
address=$(ip -4 -o addr show dev vec0 | awk '{ sub("/.*", "", $4); print $4 }')
fsid=$(cat /proc/sys/kernel/random/uuid)
osd=$(cat /proc/sys/kernel/random/uuid)
cat > /etc/ceph/ceph.conf <<END
[global]
fsid = $fsid
mon_host = [v2:$address:3300,v1:$address:6789]
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_crit = 1
mon_data = /srv/ceph/mon
mgr_data = /srv/ceph/mgr
osd_data = /srv/ceph/osd
bluestore_block_size = 1073741824
bluestore_cache_autotune = false
bluestore_cache_size = 33554432
END
admin=/etc/ceph/ceph.client.admin.keyring
ceph-authtool --create-keyring $admin --gen-key -n client.admin \
    --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
ceph-authtool --create-keyring /root/mon.keyring --gen-key -n mon. --cap mon 'allow *'
ceph-authtool /root/mon.keyring --import-keyring $admin
monmaptool --create --fsid $fsid --addv server "[v2:$address:3300,v1:$address:6789]" /root/monmap
ceph-mon --mkfs -i server --monmap /root/monmap --keyring /root/mon.keyring
ceph-mon -i server
ceph auth get-or-create mgr.server mon 'allow profile mgr' osd 'allow *' -o /srv/ceph/mgr/keyring
ceph osd new $osd
ceph-osd -i 0 --mkfs --mkkey --no-mon-config --osd-uuid $osd
ceph auth add osd.0 osd 'allow *' mon 'allow profile osd' mgr 'allow profile osd' \
    -i /srv/ceph/osd/keyring
ceph-osd -i 0
ceph-mgr -i server
ceph osd pool create images 8 8
timeout 300 rbd pool init images
ceph auth get-or-create client.pextra mon 'profile rbd' osd 'profile rbd pool=images'
"""
"""A Ceph cluster of one monitor, one manager and one OSD on a file, and a pool for images."""
