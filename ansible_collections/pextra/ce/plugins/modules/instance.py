#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from pextra/kinds/instance: make generate
"""Manage instances, virtual machines and containers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: instance
short_description: Manage instances, virtual machines and containers
version_added: 0.1.0
description:
  - Creates, changes, starts, stops and removes instances of type V(qemu) (virtual
    machines) and V(lxc) (containers), with their volumes, network devices, CD-ROM
    image and cloud-init seed.
  - An instance is a libvirt domain of the same name. QEMU instances use KVM where
    the node has it, with the processor's own features, and emulation elsewhere.
  - Nothing restarts by surprise. A change that takes effect only by restarting
    a running instance is refused before anything is changed, unless O(allow_restart=true).
    A restart that was broken off is finished by the next task that looks at the
    instance.
author:
  - pextra-ce contributors (@pextra-ce)
extends_documentation_fragment:
  - pextra.ce.store
  - pextra.ce.attributes
  - pextra.ce.resource
  - pextra.ce.resource.host
options:
  name:
    description:
      - Name of the instance and its domain, unique in the cluster. One DNS label,
        from 1 to 63 ASCII letters, digits and hyphens, beginning and ending with
        a letter or digit.
      - Required to create one. Cannot be changed afterwards.
    type: str
  node:
    description:
      - Id or name of the node that it is on. The task must run on that node.
      - Left out, it is the node that this machine is registered as. Cannot be
        changed afterwards.
    type: str
  description:
    description:
      - Text for people, of up to 1024 characters.
      - Default on creation is empty, and an empty string clears it.
    type: str
  type:
    description:
      - V(qemu) for a virtual machine, V(lxc) for a system container, which has
        a O(rootfs) or O(rootfs_archive) and neither volumes, O(devices), O(cdrom),
        O(cloud_init) nor O(boot_order).
      - Default on creation is V(qemu). Cannot be changed afterwards.
    type: str
    choices:
      - qemu
      - lxc
  cpu:
    description:
      - Virtual processors, O(cpu.sockets) times O(cpu.cores) times O(cpu.threads).
        What is left out stays as it is.
      - A change of a running instance needs a restart, see O(allow_restart).
    type: dict
    suboptions:
      sockets:
        description:
          - Processor sockets, from V(1) to V(64).
          - Default on creation is V(1).
        type: int
      cores:
        description:
          - Cores of each socket, from V(1) to V(512).
          - Default on creation is V(1).
        type: int
      threads:
        description:
          - Threads of each core, from V(1) to V(8).
          - Default on creation is V(1).
        type: int
  memory:
    description:
      - Memory, from 16 MiB to 64 TiB. With a unit it is written such as V(2GiB),
        and must be a whole number of MiB.
      - A number without a unit counts MiB. Required to create one. A change of
        a running instance needs a restart, see O(allow_restart).
    type: str
  chipset:
    description:
      - Chipset of a QEMU instance on x86_64, V(q35) (PCI Express, SATA) or V(i440fx),
        for guests that know nothing newer than PCI and IDE. Other machines have
        the one that there is.
      - Default on creation is V(q35). Cannot be changed afterwards.
    type: str
    choices:
      - q35
      - i440fx
  firmware:
    description:
      - What a QEMU instance boots with, V(bios) (x86_64 only) or V(uefi) (without
        Secure Boot).
      - Default on creation is V(bios). Cannot be changed afterwards.
    type: str
    choices:
      - bios
      - uefi
  autostart:
    description:
      - Start the instance when its node starts. A change takes effect at once
        and starts nothing now.
      - Default on creation is V(false).
    type: bool
  boot_order:
    description:
      - What to boot from, as a list of names of its devices, the device names
        of volumes, the names of network devices, CD-ROM drives and USB devices,
        and V(cdrom) for the drive of O(cdrom). What is not listed is not booted
        from. The list replaces the one before.
      - An empty list means the root volume, then the CD-ROM image.
      - A change takes effect when the instance starts next, and is no reason
        to restart it.
      - Default on creation is empty, and an empty list clears it.
    type: list
    elements: str
  cdrom:
    description:
      - Absolute path on the node of a CD-ROM image, which must exist, in a drive
        of its own on SATA (virtio-scsi on aarch64). More drives, and drives on
        other buses, are O(devices).
      - Changing the image in a drive takes effect at once, and clearing it ejects
        it. A running instance that has no drive yet needs a restart to get one,
        see O(allow_restart).
      - V(null) clears it.
    type: str
  cloud_init:
    description:
      - What the guest's cloud-init configures itself from. It gets a NoCloud
        seed, a CD-ROM image that only root and the hypervisor can read. What
        is left out stays as it is. Clearing it takes the seed away.
      - A running guest sees a changed seed at once but heeds it when it boots
        next, and much of it only with another C(instance-id), as cloud-init does.
        A running instance without a seed needs a restart to get one, see O(allow_restart).
      - V(null) clears it.
    type: dict
    suboptions:
      user_data:
        description:
          - User data. A mapping is a C(#cloud-config). A text begins with a line
            such as C(#cloud-config) or C(#!/bin/sh), by which cloud-init tells
            what it is. It often holds secrets.
          - What is no valid C(#cloud-config) is refused. Where the node has the
            package C(cloud-init), its schema is checked too.
          - It is shown nowhere.
        type: raw
      vendor_data:
        description:
          - Vendor data, as O(cloud_init.user_data). User data goes before it,
            and the guest can ignore it.
          - It is shown nowhere.
        type: raw
      meta_data:
        description:
          - Metadata. C(instance-id) is the instance's id and C(local-hostname)
            its name, unless they are given here. An instance that was restored
            in its own place has the C(instance-id) that it had.
        type: dict
      network_config:
        description:
          - Network configuration of version 1 or 2, as a mapping or as YAML.
            Left out, the guest uses DHCP on its first network device.
        type: raw
      bus:
        description:
          - Bus of the seed's drive. V(scsi) (virtio-scsi) unless given, for which
            the kernels of cloud images have a driver; many of them have none
            for V(sata). V(sata) is for guests without virtio drivers, such as
            Windows, on x86_64.
          - A running instance gets the drive on another bus when it starts next.
        type: str
        choices:
          - scsi
          - sata
  rootfs:
    description:
      - Absolute path on the node of the directory that is the container's root
        file system, with C(/sbin/init) in it. The module neither makes nor removes
        it.
      - An instance of type V(lxc) needs it or O(rootfs_archive), others refuse
        it.
      - Cannot be changed afterwards.
    type: str
  rootfs_archive:
    description:
      - Absolute path on the node of a tar, tar.gz or tar.zst archive with the
        container's root file system, C(/sbin/init) in it. It is unpacked for
        this container when that is created, with owners and modes as they are
        in the archive, below C(/var/lib/pextra-ce/containers). Device nodes are
        left out. It is not looked at later.
      - What was unpacked goes with the instance, which takes O(destroy_volumes=true).
      - Cannot be changed afterwards.
    type: str
  volumes:
    description:
      - Volumes of the instance, by name. A volume that does not exist is created
        on the way, one that exists and is attached nowhere is attached, and what
        is given and differs is changed as M(pextra.ce.volume) does. A running
        instance gets them plugged in.
      - The first of the list becomes the root volume of an instance that has
        none.
      - Volumes that are attached and not in the list stay, unless O(purge) says
        otherwise.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the volume, unique in its pool on the node. See O(pextra.ce.volume#module:name).
        type: str
        required: true
      storage_pool:
        description:
          - Id or name of the storage pool. Left out, it is the pool named V(local);
            so give it for volumes in other pools every time.
        type: str
      size:
        description:
          - Size, such as V(10GiB). A larger size makes an existing volume grow,
            a smaller one is an error.
          - Required to create an empty volume. With O(volumes[].image), left
            out, it is the image's size.
          - A number without a unit counts bytes.
        type: str
      format:
        description:
          - Format of the image file.
          - Default on creation is V(qcow2). Cannot be changed afterwards.
        type: str
        choices:
          - qcow2
          - raw
      image:
        description:
          - Absolute path on the node of the disk image that a new volume is filled
            from.
        type: str
      device_name:
        description:
          - Name of the device, unique in the instance, from 3 to 32 ASCII letters,
            digits, dots, underscores and hyphens. Chosen while attaching unless
            given; it stays until the volume is detached.
        type: str
      device_path:
        description:
          - Device path, unique in the instance, such as V(/dev/vda). Chosen while
            attaching unless given; it stays until the volume is detached. See
            O(pextra.ce.volume#module:device_path).
        type: str
      bus:
        description:
          - Bus of the device. Chosen while attaching, as O(volumes[].device_path)
            says or else V(virtio); it stays until the volume is detached. A running
            instance gets and loses a V(sata) device only by a restart, see O(allow_restart).
        type: str
        choices:
          - virtio
          - sata
          - scsi
      read_only:
        description:
          - The guest cannot write to it. It stays as it is until the volume is
            detached. Not possible on bus V(sata).
          - Default on creation is V(false).
        type: bool
  networks:
    description:
      - Network devices of the instance, by name. What is given and differs is
        changed; a running instance gets devices plugged in.
      - The guest finds them in the order in which they were given first; one
        that is added comes last.
      - Devices that are there and not in the list stay, unless O(purge) says
        otherwise.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the device, unique in the instance, from 3 to 32 ASCII letters,
            digits, dots, underscores and hyphens. What the guest calls it is
            the guest's choice.
        type: str
        required: true
      port_group:
        description:
          - Id or name of the port group on the instance's node.
          - Required to create a device. A device of a running instance that changes
            to another one is plugged in anew, with the same MAC address.
        type: str
      mac:
        description:
          - MAC address, unique in the deployment. Write it in quotes, because
            YAML takes some of them for numbers. Unless given it is made from
            the cluster, the instance's name and the device's name, so that it
            is the same when the instance is made again.
          - Cannot be changed afterwards.
        type: str
      model:
        description:
          - Model of the device in a QEMU instance.
          - Default on creation is V(virtio). Cannot be changed afterwards.
        type: str
        choices:
          - virtio
          - e1000e
  devices:
    description:
      - CD-ROM drives, TPMs, random number generators and USB devices of a QEMU
        instance, by name. What is given and differs is changed. O(hot_plug) says
        what becomes of a running instance.
      - Devices that are there and not in the list stay, unless O(purge) says
        otherwise.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the device, unique in the instance, from 3 to 32 ASCII letters,
            digits, dots, underscores and hyphens. V(cdrom) and V(seed) are taken.
        type: str
        required: true
      type:
        description:
          - What it is. V(cdrom) is a CD-ROM drive, V(tpm) a Trusted Platform
            Module, made by swtpm, of which an instance has at most one, V(rng)
            a random number generator, V(usb) a USB device of the node.
          - Required to create a device.
          - Cannot be changed afterwards.
        type: str
        choices:
          - cdrom
          - tpm
          - rng
          - usb
      bus:
        description:
          - Of a CD-ROM drive, its bus. Chosen as O(devices[].device_path) says
            or else V(sata) (V(scsi) on aarch64); it stays. V(ide) needs O(chipset=i440fx).
        type: str
        choices:
          - ide
          - sata
          - scsi
          - usb
      device_path:
        description:
          - Of a CD-ROM drive, its device path, unique in the instance. V(/dev/hda)
            to V(/dev/hdd) on bus V(ide), V(/dev/sde) to V(/dev/sdx) on V(sata),
            V(/dev/sda) to V(/dev/sdx) on V(scsi) and V(usb). Chosen unless given;
            it stays.
        type: str
      medium:
        description:
          - Of a CD-ROM drive, absolute path on the node of the image in it, which
            must exist. Clearing it ejects it. A running instance sees a change
            at once.
          - V(null) clears it.
        type: str
      tray:
        description:
          - Of a CD-ROM drive, V(open) takes the medium out without forgetting
            it, V(closed) puts it back. Unless given, a new drive is closed.
        type: str
        choices:
          - closed
          - open
      model:
        description:
          - Of a TPM, its interface, V(crb) or V(tis). Unless given, a new one
            has V(crb). It stays.
        type: str
        choices:
          - crb
          - tis
      version:
        description:
          - Of a TPM, the version of the specification. V(1.2) needs O(devices[].model=tis).
            Unless given, a new one has V(2.0). It stays.
        type: str
        choices:
          - '1.2'
          - '2.0'
      source:
        description:
          - Of a random number generator, where it takes from, the node's C(/dev/random),
            C(/dev/urandom), or V(passthrough), its hardware generator C(/dev/hwrng).
            Unless given, a new one has V(urandom). QEMU instances have one of
            that kind besides those given here.
        type: str
        choices:
          - random
          - urandom
          - passthrough
      usb_id:
        description:
          - Of a USB device, its vendor and product as C(lsusb) shows them, such
            as V(046d:c52b), in quotes. Needed to create one. An instance on the
            same node cannot have it too.
        type: str
      startup_policy:
        description:
          - Of a USB device, what happens where the node does not have it when
            the instance starts. V(mandatory) fails, V(requisite) fails except
            after a migration or a revert, V(optional) goes without. Unless given,
            a new one is V(mandatory).
        type: str
        choices:
          - mandatory
          - requisite
          - optional
  timeout:
    description:
      - How long to wait for a guest to shut down, and for O(wait_console), from
        V(1) to V(3600). When that has passed the task fails; what was changed
        stays, and the next run goes on from there.
      - Counted in seconds.
    type: int
    default: 60
  allow_restart:
    description:
      - Restart a running instance if a change needs it. The guest is asked to
        shut down and has O(timeout) to do so.
      - Without it such a change fails before anything is changed, naming the
        field, its current and its desired value. In check mode it fails in the
        same way.
    type: bool
    default: false
  destroy_volumes:
    description:
      - With O(state=absent), also destroy the volumes that are attached to the
        instance, with what is in them. Without it they are detached and stay,
        and a container whose root file system came from a O(rootfs_archive) is
        not removed.
    type: bool
    default: false
  force:
    description:
      - 'With O(state=absent), also where another tool keeps something of the
        instance in libvirt: snapshots (C(virsh snapshot-create)), checkpoints,
        or its saved memory. Libvirt forgets them, and the memory is lost. Files
        that they are in stay where they are. Without it such an instance is not
        removed.'
    type: bool
    default: false
  commit_overlays:
    description:
      - Where another tool has put an overlay over a volume, such as C(virsh snapshot-create-as
        --disk-only) does, write back into the volume what is in it, also while
        the instance runs. The overlay's file stays, and is not used any more.
      - Without it such an instance is not changed at all, because what its guest
        has written since would be lost.
    type: bool
    default: false
  discard_saved:
    description:
      - 'Where another tool has saved the memory of an instance (C(virsh managedsave)),
        give it up: what its guest had not written to its disks is lost, and it
        boots when it starts next.'
      - 'Without it the instance goes on from its memory when it is started, and
        nothing that the memory goes with is changed until then: neither its devices
        nor its volumes. O(state=restarted) is refused, because what goes on does
        not boot.'
    type: bool
    default: false
  wait_console:
    description:
      - Python regular expression to wait for on the serial console of a QEMU
        instance, with O(state=started) or O(state=restarted). C(^) and C($) match
        at lines.
      - If this run has started the instance, what the console shows from then
        on counts; otherwise all that its log holds. When O(timeout) has passed
        the task fails with the console's last lines.
      - It is no change by itself, and is not waited for in check mode.
    type: str
  purge:
    description:
      - Make O(volumes), O(networks) or O(devices) the whole truth. V(volumes)
        detaches the volumes that are not listed, without destroying them, and
        never the root volume. V(networks) removes the network devices that are
        not listed. V(devices) removes those that are not listed, a TPM with what
        it keeps. A list that is left out purges nothing.
    type: list
    elements: str
    choices:
      - volumes
      - networks
      - devices
    default: []
  hot_plug:
    description:
      - Plug devices into a running instance and unplug them at once, and change
        media. What cannot be done while it runs (bus V(sata), new CD-ROM drives,
        TPMs, the first USB device, and what finds no free place on the PCI bus)
        needs a restart, see O(allow_restart).
      - An instance has at least eight free places when it starts, and a new one
        with the chipset V(q35) so many that all virtio volumes that it can have
        are plugged in.
      - With V(false), a running instance keeps the devices that it runs with,
        and gets the others when it starts next.
    type: bool
    default: true
  state:
    description:
      - V(present) creates the instance without starting it, or changes what is
        given and differs. Whether it runs stays as it is.
      - V(started) does that and starts it if it does not run. One that is paused
        goes on.
      - V(stopped) does that, and asks the guest to shut down, again every 10
        seconds, for O(timeout).
      - V(killed) does that and ends it at once if it runs, as pulling the plug
        does.
      - V(restarted) does that, stops it as V(stopped) does and starts it again,
        each time the task runs. One that does not run is started.
      - V(absent) removes it, its network devices, its seed and its console's
        log. It must not run.
    type: str
    choices:
      - present
      - started
      - stopped
      - killed
      - restarted
      - absent
    default: present
requirements:
  - libvirt-python >= 9.0 (Debian package python3-libvirt)
  - qemu-img (Debian package qemu-utils), for volumes
  - PyYAML and xorriso (Debian packages python3-yaml and xorriso), for O(cloud_init)
  - swtpm (Debian packages swtpm and swtpm-tools), for a TPM
notes:
  - C(virsh console NAME) opens the serial console; C(/var/log/pextra-ce/console/ID.log)
    keeps what it has shown, with the instance's id for C(ID). The screen is a
    VNC server on a local socket, which C(virsh domdisplay NAME) names.
  - Devices that others attached to the domain stay. One that is at a place that
    a volume of the instance needs makes the task fail.
seealso:
  - module: pextra.ce.instance_info
  - module: pextra.ce.volume
  - module: pextra.ce.port_group
  - module: pextra.ce.storage_pool
  - name: NoCloud
    description: What cloud-init makes of a seed.
    link: https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
"""

EXAMPLES = r"""
- name: Have a virtual machine with a root volume and a network device, and run it
  pextra.ce.instance:
    name: web
    cpu:
      cores: 2
    memory: 512MiB
    volumes:
      - name: web-root
        image: /var/lib/pextra-ce/images/debian-12.qcow2
        size: 4GiB
    networks:
      - name: lan0
        port_group: lan
    autostart: true
    state: started

- name: Have one with cloud-init and a second volume, and wait until it has booted
  pextra.ce.instance:
    name: mail
    description: Mail server
    memory: 1GiB
    volumes:
      - name: mail-root
        image: /var/lib/pextra-ce/images/debian-12.qcow2
        size: 20GiB
      - name: mail-data
        storage_pool: fast
        size: 100GiB
        device_name: data
        device_path: /dev/vdb
    networks:
      - name: lan0
        port_group: lan
        mac: "52:54:00:12:34:56"
    cloud_init:
      user_data: |
        #cloud-config
        ssh_authorized_keys:
          - {{ operator_key }}
      network_config:
        version: 2
        ethernets:
          lan:
            match:
              macaddress: "52:54:00:12:34:56"
            addresses: [192.0.2.25/24]
    state: started
    wait_console: 'mail login:'
    timeout: 300

- name: Have one with UEFI that installs its operating system from a CD-ROM image
  pextra.ce.instance:
    name: db
    memory: 1GiB
    firmware: uefi
    cdrom: /var/lib/pextra-ce/images/debian-12-netinst.iso
    volumes:
      - name: db-root
        size: 20GiB
        device_name: root
    boot_order: [root, cdrom]
    state: started

- name: Give the first one more memory, which it gets by a restart
  pextra.ce.instance:
    name: web
    memory: 1GiB
    allow_restart: true

- name: Insert a rescue CD-ROM image, and boot from it
  pextra.ce.instance:
    name: web
    cdrom: /var/lib/pextra-ce/images/rescue.iso
    boot_order: [cdrom, disk-vda]
    state: restarted

- name: Eject it, and boot from the root volume next time
  pextra.ce.instance:
    name: web
    cdrom: null
    boot_order: []

- name: Give it a TPM, a drive with a medium and a generator of random numbers when it starts next
  pextra.ce.instance:
    name: web
    devices:
      - name: tpm0
        type: tpm
      - name: tools
        type: cdrom
        medium: /var/lib/pextra-ce/images/rescue.iso
      - name: entropy
        type: rng
        source: random
    hot_plug: false

- name: Take the medium out of the drive
  pextra.ce.instance:
    name: web
    devices:
      - name: tools
        tray: open
    hot_plug: false

- name: Shut it down, within two minutes
  pextra.ce.instance:
    name: web
    state: stopped
    timeout: 120

- name: Have exactly this network device
  pextra.ce.instance:
    name: web
    networks:
      - name: lan1
        port_group: lan
    purge: [networks]

- name: Have a container
  pextra.ce.instance:
    name: dns
    type: lxc
    memory: 256MiB
    rootfs: /srv/containers/dns
    networks:
      - name: lan0
        port_group: lan

- name: Have a container of its own root file system
  pextra.ce.instance:
    name: cache
    type: lxc
    memory: 256MiB
    rootfs_archive: /var/lib/pextra-ce/images/debian-12.tar.gz

- name: Force one off
  pextra.ce.instance:
    name: db
    state: killed

- name: Remove it with its volumes
  pextra.ce.instance:
    name: db
    state: absent
    destroy_volumes: true
"""

RETURN = r"""
changed:
  description: Whether anything changed; in check mode, whether anything would.
  returned: success
  type: bool
  sample: true
instance:
  description: The instance after the task, V(null) where it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Identifier, C(inst-) and 21 characters.
      type: str
      sample: inst-nbMz2FW4nWGPBWlN7FMJn
    cluster_id:
      description: Identifier of the cluster that the instance belongs to.
      type: str
      sample: cls-hM25gQN2SMQfBt6iXefcs
    name:
      description: Name of the instance, and of its libvirt domain.
      type: str
      sample: web
    node_id:
      description: Identifier of the node that it is on.
      type: str
      sample: node-VF6lOEYQA-_cjIHCRFMbA
    description:
      description: Text for people.
      type: str
      sample: Production
    type:
      description: V(qemu) is a virtual machine, V(lxc) a container.
      type: str
      sample: qemu
    cpu:
      description: Virtual processors.
      type: dict
      contains:
        sockets:
          description: Sockets.
          type: int
          sample: 1
        cores:
          description: Cores of each socket.
          type: int
          sample: 2
        threads:
          description: Threads of each core.
          type: int
          sample: 1
    memory:
      description: Memory in MiB.
      type: int
      sample: 512
    chipset:
      description: V(q35) or V(i440fx).
      type: str
      sample: q35
    firmware:
      description: V(bios) or V(uefi).
      type: str
      sample: bios
    autostart:
      description: Whether it starts with its node.
      type: bool
      sample: true
    boot_order:
      description: Names of devices, the first is tried first. Empty is the root volume,
        then the CD-ROM.
      type: list
      elements: str
      sample: []
    cdrom:
      description: The image in its CD-ROM drive, V(null) without one.
      type: str
      sample: null
    rootfs:
      description: Root file system of a container, V(null) for a virtual machine.
      type: str
      sample: null
    rootfs_archive:
      description: The archive that it was unpacked from, V(null) if none.
      type: str
      sample: null
    restored_from:
      description: The backup that it was restored from, V(null) if none.
      type: str
      sample: null
    status:
      description: What the store says of it. V(ready), or V(pending) (creation), V(updating)
        or V(deleting) where a run is at work or was interrupted, or another node still
        has to do its part.
      type: str
      sample: ready
    creation:
      description: When it was created, in UTC.
      type: str
      sample: '2026-01-31T12:00:00Z'
    state:
      description: V(running), V(paused), V(stopped), or V(saved) (stopped, to go on from
        its memory), as the task leaves it; in check mode, as a real run would leave it.
      type: str
      sample: running
    vcpus:
      description: Virtual processors, the product of the topology.
      type: int
      sample: 2
    networks:
      description: Its network devices, sorted by name.
      type: list
      elements: dict
      contains:
        id:
          description: Identifier, C(nic-) and 21 characters.
          type: str
          sample: nic-Dhcz77Zpl5pwnwW6Co0nJ
        name:
          description: Name.
          type: str
          sample: lan0
        port_group_id:
          description: The port group that it is on.
          type: str
          sample: pgrp-qy8hY5tqberxvyolAjb4B
        mac:
          description: MAC address.
          type: str
          sample: 52:54:00:9d:74:e3
        model:
          description: Model.
          type: str
          sample: virtio
    volumes:
      description: Its volumes, by device path.
      type: list
      elements: dict
      contains:
        id:
          description: Identifier of the volume.
          type: str
          sample: vol-ufbaJ57FmvldEh0eHlAuz
        name:
          description: Name of the volume.
          type: str
          sample: root
        device_name:
          description: Name of the device in the instance.
          type: str
          sample: disk-vda
        device_path:
          description: Path of the device in the order of the bus.
          type: str
          sample: /dev/vda
        bus:
          description: V(virtio), V(sata) or V(scsi).
          type: str
          sample: virtio
        is_root:
          description: Whether it is the root volume.
          type: bool
          sample: true
        read_only:
          description: Whether the guest cannot write to it.
          type: bool
          sample: false
        size:
          description: Bytes that the guest sees.
          type: int
          sample: 10737418240
        format:
          description: V(qcow2) or V(raw).
          type: str
          sample: qcow2
    devices:
      description: Its CD-ROM drives, TPM, random number generators and USB devices, sorted
        by name. What a type does not have is V(null).
      type: list
      elements: dict
      contains:
        id:
          description: Identifier, C(dev-) and 21 characters.
          type: str
          sample: dev-7yYOmqPGc68kDReiZgSAN
        name:
          description: Name.
          type: str
          sample: tools
        type:
          description: V(cdrom), V(tpm), V(rng) or V(usb).
          type: str
          sample: cdrom
        bus:
          description: Bus of a drive.
          type: str
          sample: sata
        device_path:
          description: Device path of a drive.
          type: str
          sample: /dev/sde
        medium:
          description: The image in a drive, or beside its open tray.
          type: str
          sample: /var/lib/pextra-ce/images/rescue.iso
        tray:
          description: V(closed) or V(open).
          type: str
          sample: closed
        model:
          description: V(crb) or V(tis).
          type: str
          sample: null
        version:
          description: Version of a TPM.
          type: str
          sample: null
        source:
          description: Where a random number generator takes from.
          type: str
          sample: null
        usb_id:
          description: Vendor and product of a USB device.
          type: str
          sample: null
        startup_policy:
          description: What happens where a USB device is missing.
          type: str
          sample: null
plan:
  description:
    - The steps in the order in which they were carried out; in check mode, would be. Empty
      if everything is as asked already.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the resource, V(instance), or V(volume), V(network_device) or
        V(instance_device) for its parts.
      type: str
      sample: instance
    name:
      description: Its name.
      type: str
      sample: web
    action:
      description:
        - In the store, V(create), V(update), V(delete), V(finish) for what an interrupted
          run left unfinished, or V(keep) for what it was to remove.
        - On the node, V(seed) (make the cloud-init seed), V(unpack) (a root file system),
          V(define), V(redefine) (the definition that it starts with next), V(rename) (where
          another tool has renamed it), V(commit) (an overlay of another tool), V(discard)
          (memory that another tool has saved), V(plug), V(unplug), V(change-medium) (as
          it runs), V(clean) (remove seeds and logs that are no longer needed) or V(undefine);
          for volumes V(allocate), V(grow) or V(delete).
        - After everything is in place, V(start), V(resume), V(shutdown), V(kill) or V(restart).
      type: str
      sample: start
    before:
      description: The values that the step changes, as they were. V(null) where there was
        nothing.
      type: dict
      sample:
        power: stopped
    after:
      description: The values as they become. V(null) where nothing is left.
      type: dict
      sample:
        power: running
    needs_restart:
      description: Whether it takes effect only by restarting the instance.
      type: bool
      sample: false
code:
  description:
    - The kind of failure. V(plan) if the request was refused as a whole, with the reasons
      in RV(errors); else the code of the only error.
  returned: failure, unless Ansible itself refuses an option
  type: str
  sample: plan
errors:
  description: What is wrong; after V(plan), everything that was found wrong.
  returned: failure, unless Ansible itself refuses an option
  type: list
  elements: dict
  contains:
    code:
      description:
        - V(invalid_input), an option is not acceptable by itself.
        - V(not_found), something that was referred to does not exist.
        - V(conflict), what was asked contradicts what is there.
        - V(foreign), the name belongs to something on the node that others made.
        - V(restart_required), a change needs a restart that was not allowed.
        - V(unsupported), the node lacks what the request needs.
        - V(host), the node's hypervisor, network or disk refused, or did not answer in
          time.
        - V(verification), the node still differs after applying.
        - V(secret), a secret cannot be encrypted or read, as the node does not have the
          key.
        - V(store), the database cannot be reached or used.
      type: str
      sample: restart_required
    resource:
      description: Kind and name of what it is about, V(null) if it is about no resource.
      type: str
      sample: instance "web"
    message:
      description: What was asked and what is there.
      type: str
      sample: 'this change needs a restart while it is running: restart instance web (memory
        from 512 to 1024)'
    hint:
      description: What to do about it, V(null) if the message says it all.
      type: str
      sample: Stop the instance first, or set allow_restart=true
"""

from ansible_collections.pextra.ce.plugins.module_utils.edge import run

ARGUMENT_SPEC = {
    "id": {"type": "str"},
    "name": {"type": "str"},
    "node": {"type": "str"},
    "description": {"type": "str"},
    "type": {"type": "str", "choices": ["qemu", "lxc"]},
    "cpu": {
        "type": "dict",
        "options": {
            "sockets": {"type": "int"},
            "cores": {"type": "int"},
            "threads": {"type": "int"},
        },
    },
    "memory": {"type": "str"},
    "chipset": {"type": "str", "choices": ["q35", "i440fx"]},
    "firmware": {"type": "str", "choices": ["bios", "uefi"]},
    "autostart": {"type": "bool"},
    "boot_order": {"type": "list", "elements": "str"},
    "cdrom": {"type": "str"},
    "cloud_init": {
        "type": "dict",
        "options": {
            "user_data": {"type": "raw", "no_log": True},
            "vendor_data": {"type": "raw", "no_log": True},
            "meta_data": {"type": "dict"},
            "network_config": {"type": "raw"},
            "bus": {"type": "str", "choices": ["scsi", "sata"]},
        },
    },
    "rootfs": {"type": "str"},
    "rootfs_archive": {"type": "str"},
    "volumes": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "storage_pool": {"type": "str"},
            "size": {"type": "str"},
            "format": {"type": "str", "choices": ["qcow2", "raw"]},
            "image": {"type": "str"},
            "device_name": {"type": "str"},
            "device_path": {"type": "str"},
            "bus": {"type": "str", "choices": ["virtio", "sata", "scsi"]},
            "read_only": {"type": "bool"},
        },
    },
    "networks": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "port_group": {"type": "str"},
            "mac": {"type": "str"},
            "model": {"type": "str", "choices": ["virtio", "e1000e"]},
        },
    },
    "devices": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "type": {"type": "str", "choices": ["cdrom", "tpm", "rng", "usb"]},
            "bus": {"type": "str", "choices": ["ide", "sata", "scsi", "usb"]},
            "device_path": {"type": "str"},
            "medium": {"type": "str"},
            "tray": {"type": "str", "choices": ["closed", "open"]},
            "model": {"type": "str", "choices": ["crb", "tis"]},
            "version": {"type": "str", "choices": ["1.2", "2.0"]},
            "source": {"type": "str", "choices": ["random", "urandom", "passthrough"]},
            "usb_id": {"type": "str"},
            "startup_policy": {"type": "str", "choices": ["mandatory", "requisite", "optional"]},
        },
    },
    "timeout": {"type": "int", "default": 60},
    "allow_restart": {"type": "bool", "default": False},
    "destroy_volumes": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "commit_overlays": {"type": "bool", "default": False},
    "discard_saved": {"type": "bool", "default": False},
    "wait_console": {"type": "str"},
    "purge": {
        "type": "list",
        "default": [],
        "choices": ["volumes", "networks", "devices"],
        "elements": "str",
    },
    "hot_plug": {"type": "bool", "default": True},
    "state": {
        "type": "str",
        "default": "present",
        "choices": ["present", "started", "stopped", "killed", "restarted", "absent"],
    },
    "database": {"type": "str", "no_log": True},
}


def main() -> None:
    """Run the module."""
    run("instance", ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
